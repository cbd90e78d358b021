"""Narratives: their versions, and the fields in their text."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup, escape
from sqlalchemy import select

from portal.domain.catalogue.markdown import RenderContext, TextLocation, render_page
from portal.domain.catalogue.source_files import SharedContent
from portal.domain.people.positions import is_known_fact
from portal.domain.reports.parameters import Position
from portal.features.assurance.desk import ActionSnapshot, EvidenceState, RecommendationSnapshot
from portal.features.assurance.models import Narrative
from portal.features.assurance.recommendations import ACTION_WORDS, JUDGEMENT_WORDS
from portal.features.assurance.services import add_entry, begin_entry, require_recommendation
from portal.platform import wording as say
from portal.platform.audit import log
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.errors import BadInputError
from portal.platform.formats.toml_tables import Faults

# The fields of a narrative, such as ``{{evidence:E-0001}}``: which there are, and what fills them. Pure.

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


# The versions of a narrative that are known at a position.

MOST_SHOWN = 20


def list_narratives(recommendation_id: int, position: Position) -> Sequence[Narrative]:
    """The newest versions of a recommendation's narrative, at most ``MOST_SHOWN``.

    Args:
        recommendation_id: Of the recommendation.
        position: Versions that hold from a later day, or were recorded after its instant, are left out.

    Returns:
        The one that was recorded last first. One statement.
    """
    statement = (
        select(Narrative)
        .where(
            Narrative.recommendation_id == recommendation_id,
            Narrative.from_on <= position.as_at,
            is_known_fact(Narrative, position.as_known_on),
        )
        .order_by(Narrative.recorded_at.desc(), Narrative.id.desc())
        .limit(MOST_SHOWN)
    )
    return db.session.scalars(statement).all()


# From a narrative's Markdown to safe HTML with its fields filled, and what is wrong with a text.

MOST_CHARACTERS = 20_000


def check_narrative(text: str, fields: Sequence[NarrativeField]) -> list[str]:
    """What is wrong with a narrative, a sentence each; nothing: it can be saved.

    Args:
        text: Markdown with fields.
        fields: Those that it may have.
    """
    if not text.strip():
        return ["Write the answer in words"]
    if len(text) > MOST_CHARACTERS:
        return [f"This has {len(text):,} characters. Shorten it to {MOST_CHARACTERS:,} or fewer"]
    faults = Faults()
    _render_markdown(text, faults)
    marks = [f"Line {fault.line}: {fault.reason.removesuffix('.')}" for fault in faults.listed()]
    return [*find_field_faults(text, {field.name for field in fields}), *marks]


def render_narrative(text: str, values: Mapping[str, str]) -> Markup:
    """Safe HTML of a narrative, its fields filled."""
    return fill_html(_render_markdown(text, Faults()), values)


def _render_markdown(text: str, faults: Faults) -> str:
    context = RenderContext(
        module="", lessons=frozenset(), media={}, addresses={}, shared=SharedContent(), faults=faults
    )
    location = TextLocation(context, "narrative", 1, allows_checks=False, is_printed=True)
    return render_page(text, location)


def field_values(fields: Sequence[NarrativeField]) -> dict[str, str]:
    """What each field is filled with, by its name."""
    return {field.name: field.value for field in fields}


# Writing a narrative: each saving is a version of its own, from a day on.


def write_narrative(
    key: str, text: str, fields: Sequence[NarrativeField], *, from_on: date, by: int, at: datetime
) -> None:
    """Record the next version of a recommendation's narrative; in the caller's transaction.

    Args:
        key: Of the recommendation.
        text: Markdown with fields.
        fields: Those that it may have now.
        from_on: From which day it holds; it may be entered late.
        by: Who writes it.
        at: The current instant.

    Raises:
        EntryRefusedError: The day is still to come, or before 1900.
    """
    position = begin_entry(from_on, at)
    recommendation = require_recommendation(key)
    if faults := check_narrative(text, fields):
        raise BadInputError(faults)
    add_entry(Narrative, position, by=by, recommendation_id=recommendation.id, text=text)
    log("narrative.written", actor_id=by, recommendation=key, from_on=from_on.isoformat())
