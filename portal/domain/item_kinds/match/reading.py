"""Reading and checking of match items as written."""

from dataclasses import dataclass

from portal.platform.formats.toml_tables import Table, read_key

MIN_PAIRS, MAX_PAIRS = 2, 12
MAX_RIGHT_SIDES = 20


@dataclass(frozen=True)
class PairText:
    """A left side and the right side that belongs to it, as written."""

    key: str
    left: str
    right: str
    line: int


@dataclass(frozen=True)
class MatchText:
    """The content of an item of match, as written."""

    pairs: tuple[PairText, ...]
    extra: tuple[str, ...]  # right sides that belong to no pair
    extra_line: int


def read_pairs(table: Table, key: str, prefix: str) -> MatchText:
    """Read two or more pairs, and right sides that belong to none."""
    pairs: list[PairText] = []
    for row in table.tables("pair", f"[[{prefix}pair]]"):
        pair = PairText(read_key(row), row.text("left"), row.text("right"), row.line)
        if pair.key and any(pair.key == other.key for other in pairs):
            row.fault("key", f"The key “{pair.key}” is used twice in this item. Give each pair its own.")
        if pair.left and any(pair.left == other.left for other in pairs):
            row.fault("left", "Two pairs have the same left side. Reword one.")
        row.close()
        pairs.append(pair)
    if pairs and not MIN_PAIRS <= len(pairs) <= MAX_PAIRS:
        table.fault(
            "", f"The item “{key}” has {len(pairs)} pairs. Write {MIN_PAIRS} or more, at most {MAX_PAIRS}."
        )
    extra = table.texts("extra_right", required=False)
    _check_right_sides(table, key, {pair.right for pair in pairs}, extra)
    return MatchText(tuple(pairs), tuple(extra), table.line_of("extra_right"))


def _check_right_sides(table: Table, key: str, right_sides: set[str], extra: list[str]) -> None:
    for text in extra:
        if text in right_sides:
            table.fault("extra_right", f"“{text}” belongs to a pair. Take it out of “extra_right”.")
    count = len(right_sides) + len(extra)
    if right_sides and count < 2:
        table.fault("", f"In the item “{key}” everything belongs to one thing. Write a second right side.")
    if count > MAX_RIGHT_SIDES:
        table.fault("extra_right", f"Offer at most {MAX_RIGHT_SIDES} right sides.")
