"""Reading many small things of one kind in one process, each once."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any, Generic, TypeVar

from portal.isolation.readers import Reader
from portal.isolation.running import read_apart
from portal.isolation.stops import ReadingStoppedError

MOST_KEPT = 2_000  # results, in each process of the portal
MOST_BYTES = 16 * 1024 * 1024  # that one process reads, unless one thing is larger

T = TypeVar("T")


class BatchReader(Generic[T]):
    """Reads things that are small once read, and remembers what it read by its hash.

    Args:
        reader: Takes all of them as pieces, and answers with a list of as many values.
        shape: Makes the result of one value; raises as ``read_apart`` has it.
        stopped: Makes the result of a thing whose reading was stopped.
    """

    def __init__(
        self, reader: Reader, shape: Callable[[Any], T], stopped: Callable[[ReadingStoppedError], T]
    ) -> None:
        self._reader, self._shape, self._stopped = reader, shape, stopped
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._lock = Lock()

    def read(self, contents: Sequence[bytes]) -> list[T]:
        """The results, in the order of the contents.

        Raises:
            ReadersBusyError: No process could be started in time.
        """
        names = [hashlib.sha256(content).hexdigest() for content in contents]
        with self._lock:
            found = {name: self._kept[name] for name in names if name in self._kept}
        fresh = {name: content for name, content in zip(names, contents, strict=True) if name not in found}
        for part in _parts(list(fresh.items())):
            found |= self._read_part(part)
        return [found[name] for name in names]

    def _read_part(self, part: list[tuple[str, bytes]]) -> dict[str, T]:
        try:
            results = read_apart(
                self._reader,
                None,
                [content for _, content in part],
                lambda value, _: self._shaped(value, part),
            )
        except ReadingStoppedError as error:
            if len(part) == 1:  # not kept: on a machine that is less busy it may be read
                return {part[0][0]: self._stopped(error)}
            return {name: result for one in part for name, result in self._read_part([one]).items()}
        with self._lock:
            self._kept |= results
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return results

    def _shaped(self, value: Any, part: list[tuple[str, bytes]]) -> dict[str, T]:
        return {name: self._shape(said) for (name, _), said in zip(part, value, strict=True)}


def _parts(items: list[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """The items in parts of which none is too large for one process."""
    part: list[tuple[str, bytes]] = []
    size = 0
    for item in items:
        if part and size + len(item[1]) > MOST_BYTES:
            yield part
            part, size = [], 0
        part.append(item)
        size += len(item[1])
    if part:
        yield part
