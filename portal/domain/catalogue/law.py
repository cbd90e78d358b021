"""The Acts that a text names, and the note below it of how old the texts are that were read. Pure."""

import re
from collections.abc import Iterable, Sequence
from datetime import date

from markupsafe import escape

from portal.domain.catalogue.source_files import PRACTICE, SharedContent, SourceText
from portal.platform.wording import date as date_words

ACT = re.compile(r"((?:[A-Z][\w’']*,?[ ](?:(?:and|of|the|in|etc\.)[ ]){0,3}){1,12}Act)[ ](\d{4})")
SHORT_ACT = re.compile(r"\b(\d{4}) Act\b")
PACE = ("Police and Criminal Evidence Act", "1984")
_OPENING = re.compile(r"^(?:(?:[Tt]he|In|Under|Of|of|By|For|See|A|Code|[A-Z]) )+")


def list_named_acts(text: str) -> list[str]:
    """The Acts that a text names in full or as PACE, each once, such as “Children Act 1989”.

    >>> list_named_acts("Under the Children Act 1989 and PACE.")
    ['Children Act 1989', 'Police and Criminal Evidence Act 1984']
    """
    pairs = [*ACT.findall(text), *([PACE] if re.search(r"\bPACE\b", text) else [])]
    return list(dict.fromkeys(f"{remove_opening(name)} {year}" for name, year in pairs))


def remove_opening(name: str) -> str:
    """The name of an Act without a word that only opened the sentence."""
    return _OPENING.sub("", name)


def act_of_source(source: SourceText) -> str | None:
    """The Act whose text a source is, or that it quotes with a date; None if it is something else."""
    acts = list_named_acts(source.title)
    return acts[0] if acts and (source.kind == "primary" or source.is_dated) else None


def list_source_faults(text: str, numbers: Sequence[str], shared: SharedContent) -> list[str]:
    """What is wrong with the sources of a page, or missing to tell how old its law is: a sentence each.

    Args:
        text: With everything that learners read in it.
        numbers: The sources that the text names.
        shared: The shared files, with every source.
    """
    sources = [shared.sources[number] for number in numbers if number in shared.sources]
    acts = {act: source for source in sources if (act := act_of_source(source))}
    faults = [
        f"The source “{number}” is not in _sources.toml. Use one that is, or “{PRACTICE}”."
        for number in numbers
        if number not in shared.sources and number != PRACTICE
    ]
    faults += [
        f"The source “{source.number}” is an Act without a date. Give it text_as_at, or undated = true."
        for source in sources
        if act_of_source(source) and not source.is_dated
    ]
    faults += [
        f"This names the {act}, and none of its sources is the text of it. Name one."
        for act in list_named_acts(text)
        if act not in acts
    ]
    return faults


def format_law_note(numbers: Iterable[str], shared: SharedContent) -> str:
    """The note below a page: the oldest text of law behind it, and what to check live; safe HTML."""
    sources = [shared.sources[number] for number in numbers if number in shared.sources]
    law = [(act, source) for source in sources if (act := act_of_source(source))]
    dated = sorted((source.text_as_at, act) for act, source in law if source.text_as_at)
    known = {act for _, act in dated}
    undated = list(dict.fromkeys(act for act, source in law if source.undated and act not in known))
    live = list(dict.fromkeys(source.check_live for _, source in law if source.check_live))
    sentences = [_oldest_words(*dated[0])] if dated else []
    if undated:
        sentences.append(f"Read in a copy without a date: {'; '.join(undated)}.")
    if live:
        sentences.append(f"Check on legislation.gov.uk before you rely on it: {'; '.join(live)}.")
    text = escape(" ".join(sentences))
    return f'<p class="govuk-body-s">{text}</p>' if sentences else ""


def _oldest_words(day: date, act: str) -> str:
    return f"The law here is as at {date_words(day)}, the date of the oldest text that was read: {act}."
