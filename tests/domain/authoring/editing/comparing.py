"""How two texts of one file differ."""

import re


def lines_apart(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines of each that are left between the first and the last that differ."""
    one, other = old.split("\n"), new.split("\n")
    while one and other and one[0] == other[0]:
        del one[0], other[0]
    while one and other and one[-1] == other[-1]:
        del one[-1], other[-1]
    return one, other


def within(part: str, whole: str) -> bool:
    """Whether the lines of ``part`` stand in ``whole`` in the same order."""
    rest = iter(whole.split("\n"))
    return all(line in rest for line in part.split("\n"))


def comments(text: str) -> list[str]:
    """Every comment, as far as it ends a line that it begins or stands behind two blanks."""
    return [found for line in text.split("\n") for found in re.findall(r"(?:^ *|  )(#[^\"]*)$", line)]


def bank(text: str) -> dict[str, bytes]:
    return {"items/bank.toml": text.encode()}
