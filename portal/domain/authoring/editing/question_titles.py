"""Titles of questions in lists, in which two that begin with the same words show what differs."""

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any

from portal.domain.authoring.editing.field_tables import humanise_key, shorten_text
from portal.domain.authoring.editing.stimulus import split_stimulus

Table = dict[str, Any]
_BEGINNING = 30  # characters of a shared beginning


def question_titles(tables: Sequence[Table], most: int) -> list[str]:
    """A title for each question, of about ``most`` characters.

    A title is the question as asked. Where several begin alike, it goes on with the first words that differ;
    where several ask the same, with what differs in the situation above; else with the name.

    >>> asks = ["What do you do first at the gate?", "What do you do first at the door?"]
    >>> question_titles([{"prompt": text} for text in asks], 24)
    ['What do you do first at the … gate?', 'What do you do first at the … door?']
    """
    prompts = [_text_of(table, "prompt") or humanise_key(_text_of(table, "key")) for table in tables]
    titles = [shorten_text(prompt, most) for prompt in prompts]
    for group in _equal_groups(titles):
        for number, rest in zip(group, _differing_ends([prompts[n] for n in group], most), strict=True):
            titles[number] = f"{shorten_text(prompts[number], _BEGINNING).rstrip(' …')} … {rest}"
    for group in _equal_groups(prompts):
        situations = [split_stimulus(_text_of(tables[n], "stimulus")).text for n in group]
        for number, rest in zip(group, _differing_ends(situations, most), strict=True):
            titles[number] = shorten_text(prompts[number], most) + (f" – {rest}" if rest else "")
    for group in _equal_groups(titles):
        for number in group:
            titles[number] += f" ({humanise_key(_text_of(tables[number], 'key'))})"
    return titles


def _text_of(table: Table, name: str) -> str:
    return " ".join(str(table.get(name, "")).split())


def _equal_groups(texts: Sequence[str]) -> Iterable[list[int]]:
    """The numbers of texts that are equal, for each text that occurs more than once."""
    numbers: dict[str, list[int]] = {}
    for number, text in enumerate(texts):
        numbers.setdefault(text, []).append(number)
    return [group for group in numbers.values() if len(group) > 1]


def _differing_ends(texts: Sequence[str], most: int) -> list[str]:
    """Each text from the first word that differs, shortened; empty where nothing follows."""
    words = [text.split() for text in texts]
    same = sum(1 for _ in takewhile(lambda at: len(set(at)) == 1, zip(*words, strict=False)))
    return [shorten_text(" ".join(each[same:]), most) for each in words]
