"""Finds the words that a case's TOML file says to learners, line by line. Pure."""

import re
import tomllib
from collections.abc import Iterator

_TEXT_KEYS = frozenset(
    {
        "checklist",
        "debrief",
        "explanation",
        "feedback",
        "incident",
        "label",
        "model",
        "prompt",
        "situation",
        "text",
    }
)
_ONE_LINE = re.compile(r'\s*([a-z]+)\s*=\s*("(?!"")|\'(?!\'\')|\[)')
_MANY_LINES = re.compile(r'\s*([a-z]+)\s*=\s*("""|\'\'\')(.*)$')


def prose_rows(text: str) -> Iterator[str]:
    r"""Yield a row for each line of the file: the words of its texts, or an empty one.

    Texts within arrays of several lines, such as a checklist, are read line by line.

    >>> list(prose_rows('key = "van"\ntext = "It is dark."'))
    ['', 'It is dark.']
    """
    ending, is_text, in_list = "", False, False
    for row in text.split("\n"):
        if ending:
            words, ended, _ = row.partition(ending)
            yield words if is_text else ""
            ending = "" if ended else ending
        elif opening := _MANY_LINES.match(row):
            is_text, words = opening[1] in _TEXT_KEYS, opening[3]
            words, ended, _ = words.partition(opening[2])
            ending = "" if ended else opening[2]
            yield words if is_text else ""
        elif in_list:
            in_list = row.strip() != "]"
            yield _value_of(f"text = {row.strip().rstrip(',')}") if in_list else ""
        else:
            start = _ONE_LINE.match(row)
            in_list = start is not None and start[1] in _TEXT_KEYS and row.rstrip().endswith("[")
            yield _value_of(row) if start is not None and start[1] in _TEXT_KEYS and not in_list else ""


def _value_of(row: str) -> str:
    """The text that one line gives, or the texts of its list; empty if the line alone is not TOML."""
    try:
        (value,) = tomllib.loads(row).values()
    except (ValueError, RecursionError):
        return ""
    texts = value if isinstance(value, list) else [value]
    return " ".join(text.replace("\n", " ") for text in texts if isinstance(text, str))
