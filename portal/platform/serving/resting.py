"""Connections on which nothing happens: the kernel watches them, so that keeping many open costs nothing.

Waitress asks each connection before each wait what it waits for. With a thousand that browsers keep open,
that took as much of the processor as the pages did.
"""

import select
import sys
from typing import Any

from waitress import wasyncore


class RestingConnections:
    """One entry in waitress's poll in place of all connections that wait for their client."""

    accepting = False

    def __init__(self, awake: dict[int, Any]) -> None:
        """``awake`` maps what waitress polls; a connection is there or in ``self.resting``, never in both."""
        self.awake = awake
        self.resting: dict[int, Any] = {}
        if sys.platform == "linux":  # elsewhere all are polled
            self._watch = select.epoll()
            awake[self._watch.fileno()] = self

    def readable(self) -> bool:
        """Whether to be told of what arrives."""
        return True

    def writable(self) -> bool:
        """Whether to be told that something can be sent."""
        return False

    def handle_read_event(self) -> None:
        """Wake the connections on which something arrived, or that their client closed."""
        for number, _ in self._watch.poll(0):
            if channel := self.resting.pop(number, None):  # not one that another's turn has closed
                self._watch.unregister(number)
                self.awake[number] = channel
                wasyncore.readwrite(channel, select.POLLIN)

    def lay_to_rest(self) -> None:
        """Stop polling the connections that wait for their client's next bytes; called after each poll."""
        if sys.platform != "linux":
            return
        for number, channel in list(self.awake.items()):
            if getattr(channel, "rests", False):
                self.resting[number] = self.awake.pop(number)
                self._watch.register(number, select.EPOLLIN)

    def forget(self, number: int | None) -> None:
        """Forget a descriptor that is about to be closed.

        The kernel would go on telling of it as long as a child process has a copy.
        """
        if number is not None:
            self.awake.pop(number, None)
            if self.resting.pop(number, None) is not None:
                self._watch.unregister(number)
