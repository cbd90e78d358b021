"""What the processes of one server tell each other: numbers in shared memory, a part for each process.

The memory is made before the processes are forked, and each writes to a part of its own, which needs no lock
between them. A process that takes the place of one that died goes on with its part.
"""

import mmap

PARTS = 16  # processes of one server at most; what is never written to takes no memory

_own_part = [0]


def take_part(number: int) -> None:
    """Have this process write to this part: another than its siblings, and the same after a restart.

    Raises:
        ValueError: There are not so many parts.
    """
    if not 0 <= number < PARTS:
        raise ValueError(f"A server has at most {PARTS} processes.")
    _own_part[0] = number


def own_part() -> int:
    """The part of this process; 0 where it is one of no server."""
    return _own_part[0]


class SharedCount:
    """A number of each process that has told one, for all of them to see."""

    def __init__(self) -> None:
        self._told = memoryview(mmap.mmap(-1, PARTS * 8)).cast("q")  # one more than was told; 0: nothing was

    def tell(self, count: int) -> None:
        """Say how many this process has."""
        self._told[own_part()] = count + 1

    def sum(self) -> int:
        """How many all processes have together."""
        return sum(told - 1 for told in self._told if told)

    def least_of_others(self) -> int | None:
        """How many that other process has which has fewest; None where no other has told."""
        own = own_part()
        return min((told - 1 for part, told in enumerate(self._told) if told and part != own), default=None)
