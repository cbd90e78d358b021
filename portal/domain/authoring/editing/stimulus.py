"""The text above a question, split into its words and the figure below them, which a form edits apart."""

import re
from dataclasses import dataclass

_FIGURE = re.compile(r"(?:(?P<text>.*?)\n\n)?::: figure (?P<path>media/\S+)\n(?P<words>.*)\n:::", re.DOTALL)
_MARK = re.compile(r"^[ \t]*:::", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Stimulus:
    """The words, and the path and description of one figure after them; empty: none."""

    text: str
    figure: str = ""
    description: str = ""


def split_stimulus(stimulus: str) -> Stimulus:
    """Split off the figure with which a text ends.

    A text with several figures, or with a figure elsewhere, stays whole: joining always gives it back.
    """
    match = _FIGURE.fullmatch(stimulus.strip())
    if match is None or has_mark(match["words"]):
        return Stimulus(stimulus)
    split = Stimulus(match["text"] or "", match["path"], match["words"].strip())
    is_whole = "::: figure" not in split.text and join_stimulus(split) == stimulus.strip()
    return split if is_whole else Stimulus(stimulus)


def join_stimulus(parts: Stimulus) -> str:
    """The text above the question, as a file holds it.

    >>> print(join_stimulus(Stimulus("Look.", "media/van.svg", "A van.")))
    Look.
    <BLANKLINE>
    ::: figure media/van.svg
    A van.
    :::
    """
    text = parts.text.strip()
    if not parts.figure:
        return text
    figure = f"::: figure {parts.figure}\n{parts.description.strip()}\n:::"
    return f"{text}\n\n{figure}" if text else figure


def has_mark(words: str) -> bool:
    """Whether a line begins with ``:::``, which would end a figure early."""
    return _MARK.search(words) is not None
