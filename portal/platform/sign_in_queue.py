"""How many people wait to be signed in, for every process of one server to see; files rest meanwhile.

In the minute in which a whole force comes, its passwords take all of a small machine, and a file that is
made beside them takes a fifth of it. Nobody hurries for a file as for a sign-in.

A worker on a machine of its own sees nobody wait, and never rests.
"""

from collections.abc import Callable
from time import monotonic, sleep

from portal.platform.observability.process_parts import SharedCount

MANY = 8  # people who wait, from which on files rest: to sign them in takes a fifth of a second
MOST_SECONDS = 30.0  # that one file rests in all: a proxy that hears nothing for a minute gives up
LOOK_SECONDS = 0.05

WAITING = SharedCount()  # people, for each web process


def many_wait() -> bool:
    """Whether so many wait that files rest for them."""
    return WAITING.sum() >= MANY


class Rest:
    """The rest that one file takes, between its pieces, while others come first."""

    def __init__(self, others_come_first: Callable[[], bool] = many_wait) -> None:
        self._others_come_first = others_come_first
        self._left = MOST_SECONDS

    def wait_for_others(self, pause: Callable[[float], bool | None] = sleep) -> None:
        """Wait while others come first, unless this file has rested for long enough.

        Args:
            pause: Waits for so many seconds; what gives True instead ends the rest.
        """
        while self._left > 0 and self._others_come_first():
            begun = monotonic()
            if pause(LOOK_SECONDS):
                return
            self._left -= monotonic() - begun
