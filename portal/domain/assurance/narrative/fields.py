"""The fields of a narrative, such as ``{{evidence:E-0001}}``: which there are, and what fills them. Pure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from portal.domain.assurance.desk import ActionSnapshot, RecommendationSnapshot
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.assurance.wording import ACTION_WORDS, JUDGEMENT_WORDS
from portal.domain.reports.parameters import Position
from portal.platform import wording as say
from portal.platform.clock import london_day

_FIELD = re.compile(r"\{\{([^{}\n]*)\}\}")
_LEFT_OPEN = re.compile(r"\{\{|\}\}")
_MARKS = re.compile(r"([\\`*_\[\]<>|~#])")
_MARKS_AT_THE_START = re.compile(r"^(\d*)([-+=.)])")  # of a list, or of an underlined heading
MEANINGS = {
    "state": "whether the recommendation is met",
    "reason": "the reason of the judgement",
    "judged_on": "the day of the judgement",
    "as_at": "the day for which the answer is made",
    "as_known_on": "the day up to which records are used",
    "deadline": "the deadline of the recommendation",
    "force": "the name of the force",
}


@dataclass(frozen=True, slots=True)
class NarrativeField:
    """A field that a narrative may have."""

    name: str  # as it stands between the braces
    meaning: str
    value: str  # what it is filled with at the position

    @property
    def placeholder(self) -> str:
        """As its author writes it."""
        return f"{{{{{self.name}}}}}"


def list_fields(
    recommendation: RecommendationSnapshot,
    states: Mapping[str, EvidenceState],
    position: Position,
    force: str,
) -> list[NarrativeField]:
    """Every field that a narrative of this recommendation may have, filled at the position.

    Args:
        recommendation: The recommendation at the position.
        states: What its evidence shows there, by reference.
        position: As at which day, as known on which instant.
        force: Name of the force.
    """
    judged = recommendation.judgement.judgement if recommendation.judgement else None
    values = {
        "state": JUDGEMENT_WORDS[recommendation.state].lower(),
        "reason": judged.reason if judged else "no judgement was confirmed",
        "judged_on": say.date(judged.from_on) if judged else "no judgement was confirmed",
        "as_at": say.date(position.as_at),
        "as_known_on": say.date(london_day(position.as_known_on)),
        "deadline": say.date(recommendation.version.deadline_on),
        "force": force,
    }
    simple_fields = [NarrativeField(name, meaning, values[name]) for name, meaning in MEANINGS.items()]
    evidence = [
        NarrativeField(
            f"evidence:{reference}",
            f"what {reference} shows: {state.title}",
            state.shown.removesuffix("."),  # it stands within a sentence
        )
        for reference, state in states.items()
    ]
    actions = [
        NarrativeField(
            f"action:{action.reference}", f"how far it is: {action.version.title}", action_words(action)
        )
        for action in recommendation.actions
    ]
    return [*simple_fields, *evidence, *actions]


def action_words(action: ActionSnapshot) -> str:
    """How far an action is: "done", or "under way, due on 30 April 2026"."""
    state, due_on = ACTION_WORDS[action.version.state].lower(), action.version.due_on
    ended = action.version.state in {"done", "dropped"}
    return state if ended or due_on is None else f"{state}, due on {say.date(due_on)}"


def find_field_faults(text: str, names: Collection[str]) -> list[str]:
    """A sentence for each field of a text that is none of these, with its line.

    >>> find_field_faults("We are {{state}}.", {"state"})
    []
    >>> find_field_faults("We are {{stat}}.", {"state"})
    ['Line 1: there is no field {{stat}}. Choose one of the fields listed on this page, or take it out']
    """
    faults = []
    for number, line in enumerate(text.split("\n"), start=1):
        faults += [
            f"Line {number}: there is no field {match[0]}. Choose one of the fields listed on this page,"
            " or take it out"
            for match in _FIELD.finditer(line)
            if match[1].strip() not in names
        ]
        if _LEFT_OPEN.search(_FIELD.sub("", line)):
            faults.append(f"Line {number}: write each field on one line, between {{{{ and }}}}")
    return faults


def fill_html(html: str, values: Mapping[str, str]) -> Markup:
    """Safe HTML with its fields filled by escaped text."""
    filled = _FIELD.sub(lambda match: str(escape(_value_of(match[1], values))), html)
    return Markup(filled)  # noqa: S704 - the HTML is sanitised, the values are escaped


def fill_markdown(text: str, values: Mapping[str, str]) -> str:
    r"""Markdown with its fields filled by text in which nothing is a mark.

    >>> print(fill_markdown("*{{force}}*", {"force": "West_shire"}))
    *West\_shire*
    """
    return _FIELD.sub(lambda match: escape_markdown(_value_of(match[1], values)), text)


def escape_markdown(text: str) -> str:
    """One line of text as Markdown, in which nothing is a mark."""
    return _MARKS_AT_THE_START.sub(r"\1\\\2", _MARKS.sub(r"\\\1", " ".join(text.split())))


def _value_of(name: str, values: Mapping[str, str]) -> str:
    """The value of a field; a sentence in brackets where the desk did not have it at the position."""
    name = name.strip()
    reference = name.partition(":")[2] or name
    return values.get(name, f"[{reference} was not on the desk at this time]")
