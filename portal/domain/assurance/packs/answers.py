"""The answer to a recommendation at a position, in the parts that its PDF and its text are made of. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.domain.assurance.desk import RecommendationSnapshot
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.assurance.narrative.fields import (
    NarrativeField,
    action_words,
    fill_markdown,
)
from portal.domain.assurance.narrative.rendering import field_values, render_narrative
from portal.domain.assurance.packs.blocks import (
    Block,
    GridBlock,
    HeadingBlock,
    ParagraphBlock,
    PointsBlock,
    ProseBlock,
)
from portal.domain.assurance.wording import JUDGEMENT_WORDS
from portal.platform import wording as say

NO_NARRATIVE = "Nobody has written a narrative that holds at this position."
NOT_JUDGED = "No judgement was confirmed by this day."


@dataclass(frozen=True)
class RecommendationAnswer:
    """A recommendation at a position, as one edition of a pack shows it."""

    recommendation: RecommendationSnapshot
    states: Mapping[str, EvidenceState]  # by reference; with numbers hidden in an FOI edition
    fields: tuple[NarrativeField, ...]
    names: Mapping[int, str]  # of owners, by id; nobody is named in an FOI edition
    foi: bool
    files: tuple[str, ...] = ()  # sentences about what in the ZIP belongs to it


def answer_blocks(answer: RecommendationAnswer) -> list[Block]:
    """The parts of an answer, its heading of level 2."""
    recommendation = answer.recommendation
    return [
        HeadingBlock(2, recommendation.version.title),
        _list_basics(answer),
        HeadingBlock(3, "The answer in words"),
        _write_narrative(answer),
        HeadingBlock(3, "Judgement"),
        *_write_judgement(answer),
        HeadingBlock(3, "Evidence"),
        *_list_evidence(answer),
        HeadingBlock(3, "Actions"),
        *_list_actions(answer),
        HeadingBlock(3, "Decisions"),
        *_list_decisions(answer),
        *_write_risk(answer),
        *_list_files(answer),
    ]


def _list_basics(answer: RecommendationAnswer) -> GridBlock:
    version = answer.recommendation.version
    rows = [
        ("Source", version.source),
        ("Addressed to", version.addressee),
        ("Wording, as far as it is public", version.wording),
        ("Deadline", say.date(version.deadline_on)),
        ("State", JUDGEMENT_WORDS[answer.recommendation.state]),
    ]
    if not answer.foi:
        rows.append(("Owner", _name_of(answer, answer.recommendation.owner_id)))
    return GridBlock(("What", "Answer"), tuple(rows), (1, 3))


def _name_of(answer: RecommendationAnswer, person_id: int | None) -> str:
    return "Nobody" if person_id is None else answer.names[person_id]


def _write_narrative(answer: RecommendationAnswer) -> Block:
    narrative = answer.recommendation.narrative
    if narrative is None:
        return ParagraphBlock(NO_NARRATIVE)
    values = field_values(answer.fields)
    return ProseBlock(render_narrative(narrative.text, values), fill_markdown(narrative.text, values))


def _write_judgement(answer: RecommendationAnswer) -> list[Block]:
    snapshot = answer.recommendation.judgement
    if snapshot is None or snapshot.decision is None:
        return [ParagraphBlock(NOT_JUDGED)]
    judgement, decided_on = snapshot.judgement, snapshot.decision.decided_on
    words = JUDGEMENT_WORDS[judgement.state]
    blocks: list[Block] = [
        ParagraphBlock(
            f"{words}, judged on the figures of {say.date(judgement.from_on)}. A second person confirmed "
            f"it on {say.date(decided_on)}."
        ),
        ParagraphBlock(f"Reason: {judgement.reason}"),
    ]
    if judgement.figures and not answer.foi:
        blocks.append(
            _compare_figures(answer, [EvidenceState.from_json(values) for values in judgement.figures])
        )
    return blocks


def _compare_figures(answer: RecommendationAnswer, frozen: list[EvidenceState]) -> GridBlock:
    rows = [
        (
            state.reference,
            state.title,
            state.shown,
            now.shown if (now := answer.states.get(state.reference)) else "No longer evidence",
        )
        for state in frozen
    ]
    heads = ("Evidence", "What", "At the judgement", "At this position")
    return GridBlock(heads, tuple(rows), (2, 4, 5, 5))


def _list_evidence(answer: RecommendationAnswer) -> list[Block]:
    if not answer.states:
        return [ParagraphBlock("There was no evidence on the desk at this position.")]
    rows = [
        (state.reference, state.title, state.shown, "Holds" if state.holds else " ".join(state.faults))
        for state in answer.states.values()
    ]
    return [GridBlock(("Evidence", "What", "What it shows", "Whether it holds"), tuple(rows), (2, 4, 6, 4))]


def _list_actions(answer: RecommendationAnswer) -> list[Block]:
    if not answer.recommendation.actions:
        return [ParagraphBlock("There were no actions on the desk at this position.")]
    owners = [] if answer.foi else ["Owner"]
    rows = [
        (
            action.reference,
            action.version.title,
            *([] if answer.foi else [_name_of(answer, action.version.owner_id)]),
            _capitalise_words(action_words(action)),
            ", ".join(action.waits_for) or "Nothing",
        )
        for action in answer.recommendation.actions
    ]
    widths = (2, 5, 4, 2) if answer.foi else (2, 5, 3, 4, 2)
    return [GridBlock(("Action", "What", *owners, "How far", "Waits for"), tuple(rows), widths)]


def _capitalise_words(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _list_decisions(answer: RecommendationAnswer) -> list[Block]:
    if not answer.recommendation.decisions:
        return [ParagraphBlock("There were no decisions on the desk at this position.")]
    rows = [
        (say.date(decision.from_on), decision.title, decision.text, decision.decided_by)
        for decision in answer.recommendation.decisions
    ]
    return [GridBlock(("Day", "Decision", "In words", "Decided by"), tuple(rows), (2, 4, 6, 3))]


def _write_risk(answer: RecommendationAnswer) -> list[Block]:
    risk = answer.recommendation.risk
    if answer.foi or risk is None:
        return []
    words = f"Likelihood {risk.likelihood} of 5, impact {risk.impact} of 5. {risk.text}"
    return [HeadingBlock(3, "Risk"), ParagraphBlock(words)]


def _list_files(answer: RecommendationAnswer) -> list[Block]:
    return [HeadingBlock(3, "Files of this answer"), PointsBlock(answer.files)] if answer.files else []
