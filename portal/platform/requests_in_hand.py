"""How many requests the web processes have in hand; files rest while they have many.

In the hour in which a whole force comes, passwords and answers take all of a small machine, and a file that
is made beside them takes a fifth of it. Whoever holds the database's lock then waits for a processor, and
everyone who saves an answer waits with them. Nobody hurries for a file as for these.

A worker on a machine of its own sees no requests, and never rests.
"""

from collections.abc import Callable
from time import monotonic, sleep

from portal.platform.observability.process_parts import SharedCount

MANY = 8  # requests, from which on files rest: each process then has several more than it can work on
MOST_SECONDS = 30.0  # that one file rests in all: a proxy that hears nothing for a minute gives up
LOOK_SECONDS = 0.05

IN_HAND = SharedCount()  # requests that a web process works on, or will, until their answer begins


def many_are_in_hand() -> bool:
    """Whether there are so many that files rest for them."""
    return IN_HAND.add_up() >= MANY


class Rest:
    """The rest that one file takes, between its pieces, while others come first."""

    def __init__(self, others_come_first: Callable[[], bool] = many_are_in_hand) -> None:
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
