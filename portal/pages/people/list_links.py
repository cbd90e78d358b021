"""Links above a filtered and sorted list: its sortable heads, and the chips of its filters."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from portal.pages.layout.paging import address


class ListFilters(Protocol):
    """The filters of a list."""

    @property
    def address_fields(self) -> dict[str, str]:
        """The filled fields, as they are written in an address."""
        ...


def sort_heads(
    path: str, columns: Sequence[tuple[str, str]], filters: ListFilters, sort: str
) -> dict[str, tuple[str, str, str | None]]:
    """The sortable heads by column: text, address, and in which direction the list is sorted by it, if it is.

    Args:
        path: Of the list.
        columns: Each its name in the address and its text.
        filters: What is kept.
        sort: The column by which the list is sorted now, with a "-" before it for descending.
    """
    heads = {}
    for name, text in columns:
        is_current, descending = sort.removeprefix("-") == name, sort.startswith("-")
        next_sort = f"-{name}" if is_current and not descending else name
        direction = ("descending" if descending else "ascending") if is_current else None
        href = address(path, {**filters.address_fields, "sort": next_sort}.items())
        heads[name] = (text, href, direction)
    return heads


def filter_chips(
    path: str, filters: ListFilters, words: Mapping[str, Mapping[str, str]], sort: str
) -> list[tuple[str, str]]:
    """The filters in force, each with the address of the list without it.

    Args:
        path: Of the list.
        filters: Those in force.
        words: Of some fields, the words of each value; of others the value is quoted.
        sort: What the list is sorted by; empty for its usual order.
    """
    chips = []
    for name, value in filters.address_fields.items():
        text = words.get(name, {}).get(value, f"“{value}”")
        rest = {**filters.address_fields, name: "", "sort": sort}
        chips.append((text, address(path, rest.items())))
    return chips
