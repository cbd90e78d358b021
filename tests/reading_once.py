"""A file that was read in a separate process is not read there again: the same bytes are the same table.

A page of imports reads its file at every step, as it must, and to begin a process costs more than all else
that the step does. Each content is read for real once by each worker; what is shown of the reading itself,
of its limits and of its faults is left alone.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any

import pytest

from portal.platform.isolation.messages import Reader
from portal.platform.tables import table_files

ROOMS = ("tests/commands/", "tests/domain/imports/", "tests/domain/status/", "tests/pages/imports/")
FOR_REAL = {"tests/pages/imports/test_views.py"}  # it has readers that are busy, stopped or gone
MOST_KEPT = 200
_read = table_files.read_apart
_answers: OrderedDict[tuple[Any, ...], tuple[Any, list[bytes]]] = OrderedDict()


def read_once(
    reader: Reader, arguments: Any, pieces: Sequence[bytes], shape: Callable[[Any, list[bytes]], Any]
) -> Any:
    """As ``read_apart``; from memory where the same bytes were read in the same way."""
    key = (reader, repr(arguments), *pieces)
    if key not in _answers:
        _answers[key] = _read(reader, arguments, pieces, lambda answer, more: (answer, more))
        if len(_answers) > MOST_KEPT:
            _answers.popitem(last=False)
    return shape(*deepcopy(_answers[key]))


@pytest.fixture(scope="module", autouse=True)
def _read_files_once(request: pytest.FixtureRequest) -> Iterator[None]:
    file = request.node.nodeid
    with pytest.MonkeyPatch.context() as monkeypatch:
        if file.startswith(ROOMS) and file not in FOR_REAL:
            monkeypatch.setattr(table_files, "read_apart", read_once)
        yield
