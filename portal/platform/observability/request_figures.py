"""Counts and durations of requests, added up over the processes of one server.

A process that takes the place of one that died goes on with its part of the shared memory, so that no count
ever falls while the server runs.
"""

import mmap
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

# Numbers in memory that the processes of one server share, a part for each process.
#
# The memory is made before the processes are forked, and each writes to a part of its own, which needs no
# lock between them. A process that takes the place of one that died goes on with its part.

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


STATUSES = (
    *(200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308),
    *(400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 502, 503, 504),
)
OTHER_STATUS = "other"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds, each the most of its own
UNMATCHED = "unmatched"  # stands for the endpoint of an address that the portal does not know

_COLUMN = {status: column for column, status in enumerate(STATUSES)}
_FIRST_BUCKET = len(STATUSES) + 1  # after the statuses, and the other ones
_SUM = _FIRST_BUCKET + len(BUCKETS) + 1  # microseconds
_STATEMENTS = _SUM + 1
_SLOW = _SUM + 2  # statements
_WIDTH = _SUM + 3  # numbers of eight bytes for one endpoint


@dataclass(frozen=True, slots=True)
class EndpointFigures:
    """What was counted of one endpoint since the server started."""

    endpoint: str
    by_status: dict[str, int]  # only those that occurred
    by_bucket: tuple[int, ...]  # not cumulative: one for each of ``BUCKETS``, then those above
    seconds: float  # of all requests together
    statements: int
    slow_statements: int


class RequestFigures:
    """The figures of one application, whose endpoints are known from its start."""

    def __init__(self, endpoints: Sequence[str]) -> None:
        self._rows = {name: row for row, name in enumerate([UNMATCHED, *endpoints])}
        self._part = len(self._rows) * _WIDTH
        self._numbers = memoryview(mmap.mmap(-1, PARTS * self._part * 8)).cast("q")
        self._lock = Lock()  # between the threads of a process

    def count(self, endpoint: str, status: int, seconds: float, statements: int, slow: int) -> None:
        """Count one request."""
        numbers = self._numbers
        first = own_part() * self._part + self._rows.get(endpoint, 0) * _WIDTH
        status_at = first + _COLUMN.get(status, len(STATUSES))
        bucket_at = first + _FIRST_BUCKET + bisect_left(BUCKETS, seconds)
        with self._lock:
            numbers[status_at] += 1
            numbers[bucket_at] += 1
            numbers[first + _SUM] += int(seconds * 1_000_000)
            numbers[first + _STATEMENTS] += statements
            numbers[first + _SLOW] += slow

    def read(self) -> Iterator[EndpointFigures]:
        """The sums over all processes, of the endpoints that had a request."""
        for endpoint, row in self._rows.items():
            firsts = range(row * _WIDTH, PARTS * self._part, self._part)
            sums = [sum(self._numbers[first + column] for first in firsts) for column in range(_WIDTH)]
            names = [*map(str, STATUSES), OTHER_STATUS]
            by_status = {name: count for name, count in zip(names, sums, strict=False) if count}
            if by_status:
                buckets = tuple(sums[_FIRST_BUCKET:_SUM])
                yield EndpointFigures(
                    endpoint, by_status, buckets, sums[_SUM] / 1_000_000, sums[_STATEMENTS], sums[_SLOW]
                )
