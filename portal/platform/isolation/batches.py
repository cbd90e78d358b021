"""Reads many small items of one kind in one process, and caches the results."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any, Generic, TypeVar

from portal.platform.isolation.readers import Reader
from portal.platform.isolation.running import read_apart
from portal.platform.isolation.stops import ReadingStoppedError

MOST_KEPT = 2_000  # results, in each process of the portal
MOST_BYTES = 16 * 1024 * 1024  # that one process reads, unless one item is larger

T = TypeVar("T")


class BatchReader(Generic[T]):
    """Reads items and caches the results by the hash of their content.

    Args:
        reader: Takes the items as pieces, and answers with a list of one value each.
        shape: Makes the result of one value; raises as ``read_apart`` has it.
        stopped: Makes the result of an item whose reading was stopped.
    """

    def __init__(
        self, reader: Reader, shape: Callable[[Any], T], stopped: Callable[[ReadingStoppedError], T]
    ) -> None:
        self._reader, self._shape, self._stopped = reader, shape, stopped
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._lock = Lock()

    def read_all(self, contents: Sequence[bytes]) -> list[T]:
        """The results, in the order of the contents.

        Raises:
            ReadersBusyError: No process could be started in time.
        """
        names = [hashlib.sha256(content).hexdigest() for content in contents]
        with self._lock:
            results = {name: self._kept[name] for name in names if name in self._kept}
        fresh = {name: content for name, content in zip(names, contents, strict=True) if name not in results}
        for part in _split_into_parts(list(fresh.items())):
            results |= self._read_part(part)
        return [results[name] for name in names]

    def _read_part(self, part: list[tuple[str, bytes]]) -> dict[str, T]:
        try:
            results = read_apart(
                self._reader,
                None,
                [content for _, content in part],
                lambda value, _: self._shape_results(value, part),
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

    def _shape_results(self, value: Any, part: list[tuple[str, bytes]]) -> dict[str, T]:
        return {name: self._shape(answer) for (name, _), answer in zip(part, value, strict=True)}


def _split_into_parts(items: list[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Split the items into parts of at most ``MOST_BYTES``, or of one larger item."""
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
