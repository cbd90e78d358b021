"""Connections on which nothing happens are not polled, so that many of them cost nothing.

Waitress asks each connection before each wait what it waits for. With a thousand that browsers keep open,
that took as much of the processor as the pages did; with 250 that wait for their answer, a fifth of it.
"""

import select
import sys
from collections import deque
from typing import Any

from waitress import wasyncore


class RestingConnections:
    """One entry in waitress's poll in place of all connections that wait for their client.

    Those that wait for their answer have none: whoever answers wakes them.
    """

    accepting = False

    def __init__(self, awake: dict[int, Any]) -> None:
        """``awake`` maps what waitress polls; a connection is in it or in one of the other two."""
        self.awake = awake
        self.resting: dict[int, Any] = {}  # wait for their client
        self.unanswered: dict[int, Any] = {}  # wait for the thread that answers
        self._woken: deque[Any] = deque()
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
        """Stop polling the connections on which nothing happens; called after each poll."""
        for number, channel in list(self.awake.items()):
            if getattr(channel, "awaits_answer", False):
                self.unanswered[number] = self.awake.pop(number)
            elif sys.platform == "linux" and getattr(channel, "rests", False):
                channel.forget_sent()
                self.resting[number] = self.awake.pop(number)
                self._watch.register(number, select.EPOLLIN)

    def wake_channel(self, channel: Any) -> None:
        """Have a connection polled again that was answered, in part or in full; called by any thread."""
        self._woken.append(channel)

    def wake_answered(self) -> None:
        """Poll the connections again that ``wake_channel`` was given; called before each poll."""
        while self._woken:
            channel = self._woken.popleft()
            number = channel._fileno  # None once it is closed
            if self.unanswered.get(number) is channel:
                self.awake[number] = self.unanswered.pop(number)

    def forget(self, number: int | None) -> None:
        """Forget a descriptor that is about to be closed.

        The kernel would go on telling of it as long as a child process has a copy.
        """
        if number is not None:
            self.awake.pop(number, None)
            self.unanswered.pop(number, None)
            if self.resting.pop(number, None) is not None:
                self._watch.unregister(number)
