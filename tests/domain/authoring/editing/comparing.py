"""Comparison of two texts of one file."""

import re


def differing_lines(old: str, new: str) -> tuple[list[str], list[str]]:
    """The old and the new lines between the first and the last difference."""
    old_lines, new_lines = old.split("\n"), new.split("\n")
    while old_lines and new_lines and old_lines[0] == new_lines[0]:
        del old_lines[0], new_lines[0]
    while old_lines and new_lines and old_lines[-1] == new_lines[-1]:
        del old_lines[-1], new_lines[-1]
    return old_lines, new_lines


def is_line_subsequence(fragment: str, whole: str) -> bool:
    """Whether the lines of ``fragment`` are in ``whole`` in the same order."""
    lines = iter(whole.split("\n"))
    return all(line in lines for line in fragment.split("\n"))


def comments(text: str) -> list[str]:
    """Every comment on a line of its own or after two spaces."""
    return [comment for line in text.split("\n") for comment in re.findall(r"(?:^ *|  )(#[^\"]*)$", line)]


def bank_files(text: str) -> dict[str, bytes]:
    return {"items/bank.toml": text.encode()}
