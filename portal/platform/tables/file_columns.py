"""What the columns of a file mean: one list for its reader, its documentation and its example."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class FileColumn(NamedTuple):
    """A column of a file that people write, or a key of one."""

    name: str
    meaning: str
    written: str  # how a value is written
    examples: tuple[str, ...]  # of each row of the example; all columns of a file have as many
    required: bool = True  # the column must be there
    filled: bool = True  # and no row may leave it empty

    @property
    def need(self) -> str:
        """Whether the column, and a value in each row, is needed."""
        return ("yes" if self.filled else "the column, which may be empty") if self.required else "no"

    @property
    def example(self) -> str:
        """The first value of the example."""
        return next(filter(None, self.examples), "")


def name_columns(columns: Iterable[FileColumn], *, required: bool) -> tuple[str, ...]:
    """The names of those columns that must be there, or of those that may."""
    return tuple(column.name for column in columns if column.required == required)


def write_example(columns: Sequence[FileColumn]) -> str:
    """The example as CSV."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(column.name for column in columns)
    writer.writerows(zip(*(column.examples for column in columns), strict=True))
    return target.getvalue()
