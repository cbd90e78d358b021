"""Numbers in memory that the processes of one server share, a part for each process.

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
    """One number of each process, which all of them can read."""

    def __init__(self) -> None:
        self._parts = memoryview(mmap.mmap(-1, PARTS * 8)).cast("q")  # one more than the number; 0: none yet

    def set_own(self, count: int) -> None:
        """Set the number of this process."""
        self._parts[own_part()] = count + 1

    def add_up(self) -> int:
        """The sum of the numbers of all processes."""
        return sum(part - 1 for part in self._parts if part)

    def find_least_of_others(self) -> int | None:
        """The least number of another process; None where no other has set one."""
        others = (part - 1 for place, part in enumerate(self._parts) if part and place != own_part())
        return min(others, default=None)
