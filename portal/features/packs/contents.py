"""What stands in an answer pack: answers in parts, tables, and annexes."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from portal.domain.people.visibility import Viewer
from portal.domain.reports import packs
from portal.domain.reports.foi import is_small, make_report_tables
from portal.domain.reports.packs import Definitions, PackFile, ReportDone, SettledPosition, write_pack
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.domain.reports.statistics import Share
from portal.features.assurance.desk import EvidenceSnapshot, EvidenceState, RecommendationSnapshot
from portal.features.assurance.evidence_counts import restate_share
from portal.features.assurance.narratives import (
    NarrativeField,
    action_words,
    escape_markdown,
    field_values,
    fill_markdown,
    render_narrative,
)
from portal.features.assurance.recommendations import JUDGEMENT_WORDS
from portal.platform import wording as say
from portal.platform.documents.typesetting import markup_of, text_content
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.wording import percent_cut

# The parts of an answer, and each of them as the typesetter's markup and as Markdown. Pure.

TOP = 4  # the level of a narrative's first headings: those above are the answer's own
_HEADING_TAG = re.compile(r"(</?h)([2-6])\b")
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_HEADING_MARKS = re.compile(r"(\s{0,3})(#{1,6})(\s.*|$)")


@dataclass(frozen=True, slots=True)
class HeadingBlock:
    """A heading; the document's title is of level 1."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class ParagraphBlock:
    """One paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class PointsBlock:
    """A list of sentences."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GridBlock:
    """A table; ``widths`` are the shares of its columns."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ProseBlock:
    """A narrative with its fields filled, in both forms."""

    html: str
    markdown: str


Block = HeadingBlock | ParagraphBlock | PointsBlock | GridBlock | ProseBlock


def blocks_as_markup(blocks: Iterable[Block]) -> str:
    """Blocks as the typesetter's markup."""
    return "\n".join(map(_markup_of_block, blocks))


def _markup_of_block(block: Block) -> str:
    match block:
        case HeadingBlock(level, text):
            return f"{'=' * level} {text_content(text)}\n"
        case ParagraphBlock(text):
            return f"{text_content(text)}\n"
        case PointsBlock(texts):
            return "#list(" + " ".join(f"[{text_content(text)}]," for text in texts) + ")\n"
        case GridBlock(heads, rows, widths):
            columns = ", ".join(f"{width}fr" for width in widths)
            head = "".join(f"[{text_content(text)}], " for text in heads)
            lines = ["".join(f"[{text_content(text)}], " for text in row) for row in rows]
            return "\n".join([f"#table(columns: ({columns}), table.header({head}),", *lines, ")\n"])
        case ProseBlock(html, _):
            return markup_of(_HEADING_TAG.sub(lambda tag: f"{tag[1]}{min(int(tag[2]) + TOP - 2, 6)}", html))


def blocks_as_markdown(blocks: Iterable[Block]) -> str:
    """Blocks as Markdown, which is fit to be read as plain text too."""
    return "\n".join(map(_markdown_of_block, blocks))


def _markdown_of_block(block: Block) -> str:
    match block:
        case HeadingBlock(level, text):
            return f"{'#' * level} {escape_markdown(text)}\n"
        case ParagraphBlock(text):
            return f"{escape_markdown(text)}\n"
        case PointsBlock(texts):
            return "".join(f"- {escape_markdown(text)}\n" for text in texts)
        case GridBlock(heads, rows, _):
            lines = [
                map(escape_markdown, heads),
                ("---",) * len(heads),
                *(map(escape_markdown, row) for row in rows),
            ]
            return "".join(map(_table_line, lines))
        case ProseBlock(_, markdown):
            return f"{lower_headings(markdown).strip()}\n"


def _table_line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def lower_headings(markdown: str) -> str:
    r"""Markdown whose highest heading is of level ``TOP``; headings in a fence are none.

    >>> lower_headings("# One\n\n## Two")
    '#### One\n\n##### Two'
    """
    lines = markdown.split("\n")
    headings = list(_find_headings(lines))
    if not headings:
        return markdown
    shift = TOP - min(len(match[2]) for _, match in headings)
    for number, match in headings:
        lines[number] = f"{match[1]}{'#' * max(1, min(len(match[2]) + shift, 6))}{match[3]}"
    return "\n".join(lines)


def _find_headings(lines: Sequence[str]) -> Iterable[tuple[int, re.Match[str]]]:
    fence = ""
    for number, line in enumerate(lines):
        if mark := _FENCE.match(line):
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
        elif not fence and (match := _HEADING_MARKS.fullmatch(line)):
            yield number, match


# The answer to a recommendation at a position, in the parts that its PDF and its text are made of. Pure.

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


# The packs of directives whose completion is evidence: annexes of an answer pack, as they are sent alone.

NOT_THERE = "{reference} is not an annex: the directive was not in the portal at this position."


@dataclass
class Annexes:
    """What was written, whom it names, and what could not be written."""

    files: list[PackFile] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)  # a sentence for each directive without an annex
    people: set[int] = field(default_factory=set)  # with a row in one of them
    published: dict[str, tuple[int, int]] = field(default_factory=dict)  # complete and counted, in FOI packs


def directives_of(pieces: Sequence[EvidenceSnapshot]) -> list[str]:
    """The references of the directives whose completion is evidence, in order."""
    figures = (piece.version.definition for piece in pieces if piece.version.kind == "figure")
    return sorted({str(reference) for figure in figures if (reference := figure.get("directive"))})


@dataclass(frozen=True)
class AnnexWish:
    """Which edition of directives' packs is written, and for whom."""

    viewer: Viewer  # sees the whole force
    position: SettledPosition  # of the answer pack
    foi: bool  # FOI packs, else inspection packs
    force: str
    small: int  # the small number of an FOI pack

    @property
    def pack_name(self) -> str:
        """Which pack of a directive."""
        return packs.FOI if self.foi else packs.INSPECTION


def write_annexes(wish: AnnexWish, directives: Sequence[str], folder: Path, done: ReportDone) -> Annexes:
    """Write the pack of each directive into a folder.

    Args:
        wish: Which edition.
        directives: References of directives.
        folder: Where the annexes are written.
        done: Is told how many rows are written.
    """
    annexes, rows = Annexes(), 0
    for reference in directives:
        try:
            report = completion_report(wish.viewer, reference, wish.position)
            packs.refuse_pack(report, wish.pack_name, wish.small)
        except NotFoundError:
            annexes.refusals.append(NOT_THERE.format(reference=reference))
        except RuleError as error:
            annexes.refusals.append(f"{reference} is not an annex. {error}")
        else:
            rows += _write_annex(annexes, wish, report, folder, partial(_report_after, done, rows))
    return annexes


def _write_annex(
    annexes: Annexes, wish: AnnexWish, report: CompletionReport, folder: Path, done: ReportDone
) -> int:
    """Write the pack of one directive, and return how many rows it has."""
    reference, name = report.directive.reference, wish.pack_name
    kind = "FOI pack" if wish.foi else "inspection pack"
    file = PackFile(f"{reference}-{name}", f"annex: the {kind} of {reference}, unpacked by itself")
    scratch = folder / f"{reference}.parts"
    scratch.mkdir()
    target = folder / file.name
    pack = write_pack(report, name, scratch, target, force=wish.force, small=wish.small, done=done)
    annexes.files.append(file)
    if not wish.foi:
        annexes.people |= report.list_person_ids()
        return pack.rows
    tables = make_report_tables(report, wish.small)
    annexes.published[reference] = (tables.complete, tables.counted)
    return pack.rows


def _report_after(done: ReportDone, before: int, rows: int) -> None:
    done(before + rows)


# Evidence as an FOI edition shows it: no names or documents, and no number that may tell of a person.
# Pure.
#
# A figure of a part of the force could be taken from one of the annex, and a few people would be left. So
# a figure of people is shown only where the annex publishes its numbers, and as rounded there; of others
# not even whether they hold, because two thresholds of nearly the same people tell of those between. Nor
# can counts of documents be taken from one another: all that are shown are of the same units and months.

HIDDEN = "[c]"  # the mark of official statistics for a confidential number
COUNT_PEOPLE = frozenset({"figure", "acknowledgements", "attendance"})
KEPT_BACK = {
    "document": "A document of the force, which is not in this edition.",
    "statement": "A signed statement of the force, which is not in this edition.",
}
HIDDEN_FIGURE = f"{HIDDEN}: numbers of a part of the force are not in this edition."
SMALL_FIGURE = f"{HIDDEN}: the numbers are too small to be published."
LEFT_OUT = (
    "This edition names nobody. Owners, risks, documents, signed statements and the figures at the judgement "
    "are left out."
)
HIDDEN_SAMPLES = f"{HIDDEN}: only the widest figures of documents are in this edition."
Pair = tuple[int, int]  # numerator and denominator
SampleFrame = tuple[str, int]  # a unit’s path, "" for all of them, and a number of months


@dataclass(frozen=True, slots=True)
class PublishedNumbers:
    """What an FOI edition may show.

    Attributes:
        totals: The people complete and counted of each directive, as its FOI pack publishes them, rounded.
        frame: The units and months of which counts of documents are shown; None: there are none.
    """

    totals: Mapping[str, Pair]
    frame: SampleFrame | None = None


def choose_frame(pieces: Iterable[EvidenceSnapshot]) -> SampleFrame | None:
    """The units and months of which counts of documents are shown: all units before one, then most months.

    Args:
        pieces: All evidence of the desk, so that the editions of one date have the same.
    """
    frames = {_frame_of(piece.version.definition) for piece in pieces if piece.version.kind == "samples"}
    return min(frames, key=lambda frame: (frame[0] != "", -frame[1], frame[0]), default=None)


def _frame_of(definition: Mapping[str, Any]) -> SampleFrame:
    return str(definition.get("unit", "")), int(definition["months"])


def hide_numbers(
    state: EvidenceState, definition: Mapping[str, Any], published: PublishedNumbers, small: int
) -> EvidenceState:
    """A piece of evidence without what would tell of a person.

    Args:
        state: As the whole force knows it.
        definition: What is counted, as it was stated.
        published: What may be shown.
        small: The small number.
    """
    if state.kind in KEPT_BACK:
        return _leave_out_words(state, KEPT_BACK[state.kind])
    if state.kind in COUNT_PEOPLE:
        share = _find_published(state, definition, published)
        return restate_share(state, share, "are complete") if share else _hide_figure(state, HIDDEN_FIGURE)
    if state.reached is not None and state.total is not None:
        if _frame_of(definition) != published.frame:
            return _hide_figure(state, HIDDEN_SAMPLES)
        parts = (state.reached, state.total - state.reached, state.total)
        if any(is_small(part, small) for part in parts):
            return _hide_figure(state, SMALL_FIGURE)
    return state


def _find_published(
    state: EvidenceState, definition: Mapping[str, Any], published: PublishedNumbers
) -> Share | None:
    """The rounded share of everybody under a directive, where the annex publishes it."""
    is_part = any(definition.get(name) for name in ("requirement", "unit", "role", "rank"))
    if state.kind != "figure" or is_part or definition["directive"] not in published.totals:
        return None
    return Share(*published.totals[definition["directive"]])


def _leave_out_words(state: EvidenceState, words: str) -> EvidenceState:
    return replace(state, shown=words, definition=(), address="", digest="")


def _hide_figure(state: EvidenceState, words: str) -> EvidenceState:
    return replace(_leave_out_words(state, words), reached=None, total=None, faults=(HIDDEN,))


def describe_suppression(states: Collection[EvidenceState], small: int) -> list[str]:
    """What is hidden in an FOI edition, and why, for whoever reads it."""
    hidden = sum(state.faults == (HIDDEN,) for state in states)
    return [
        LEFT_OUT,
        f"{HIDDEN} stands for what is hidden, in {hidden} of {len(states)} pieces of evidence. A figure of "
        "people is shown only where the FOI pack of its directive, which is in this ZIP, shows it, and "
        f"rounded as there. Counts of documents from 1 to {small - 1} are hidden, and all that are of fewer "
        "units or months than the widest, because one could be taken from another.",
        "Titles, and the words of the answer, its actions, judgements and decisions, are the force's own, as "
        "they were written.",
    ]


# The tables of an answer pack, and what their columns and each figure mean. Pure.

Row = Sequence[str | int]
Table = tuple[Sequence[str], list[Row]]  # heads and rows

COLUMNS = {
    "recommendation": "Key of the recommendation.",
    "evidence": "Reference of the piece of evidence.",
    "title": "What it is, in its author's words.",
    "kind": "Kind of evidence: figure, acknowledgements, attendance, samples, document, link or statement.",
    "shown": "What it shows at the two times of this pack.",
    "reached": "Numerator of the figure.",
    "total": "Denominator of the figure.",
    "percentage": "Share, rounded down, so 100% means all of them.",
    "threshold": "Share that was asked for, from 0 to 1, stated before; empty: none.",
    "holds": "yes: it may be relied on; no: faults says why not; empty: hidden.",
    "faults": "Why it does not hold.",
    "judged_on": "Day of the confirmed judgement that used the figure.",
    "judged_as": "The judgement: met, partly met, not met or not judged.",
    "judged_reached": "Numerator as the judgement froze it.",
    "judged_total": "Denominator as the judgement froze it.",
    "address": "Where it can be looked up: a path in the portal, or an address on the web.",
    "sha256": "SHA-256 of its document, or of the text of its statement.",
    "file": "Its file in this ZIP.",
}
FIGURES = (
    "recommendation", "evidence", "title", "kind", "reached", "total", "percentage", "threshold", "holds",
    "judged_on", "judged_as", "judged_reached", "judged_total",
)  # fmt: skip
EVIDENCE = (
    "recommendation", "evidence", "title", "kind", "shown", "holds", "faults", "address", "sha256", "file",
)  # fmt: skip


def figures_table(answers: Sequence[RecommendationAnswer]) -> Table:
    """One row for each piece of evidence with a figure, beside what the judgement froze of it."""
    rows: list[Row] = [
        [_write_cell(values[head]) for head in FIGURES]
        for answer in answers
        for state in answer.states.values()
        if state.total is not None or state.threshold is not None
        for values in [_values_of(answer, state, {})]
    ]
    return FIGURES, rows


def evidence_table(answers: Sequence[RecommendationAnswer], files: Mapping[str, str]) -> Table:
    """One row for each piece of evidence.

    Args:
        answers: In the order of the pack.
        files: Names of the files in the pack, by reference.
    """
    rows: list[Row] = [
        [_write_cell(values[head]) for head in EVIDENCE]
        for answer in answers
        for state in answer.states.values()
        for values in [_values_of(answer, state, files)]
    ]
    return EVIDENCE, rows


def _write_cell(value: str | int | None) -> str | int:
    return "" if value is None else value


def _values_of(
    answer: RecommendationAnswer, state: EvidenceState, files: Mapping[str, str]
) -> dict[str, str | int | None]:
    snapshot = None if answer.foi else answer.recommendation.judgement
    frozen = _find_frozen(answer, state.reference)
    share = None if state.reached is None or not state.total else percent_cut(state.reached, state.total)
    return {
        "recommendation": answer.recommendation.key,
        "evidence": state.reference,
        "title": state.title,
        "kind": state.kind,
        "shown": state.shown,
        "reached": state.reached,
        "total": state.total,
        "percentage": share,
        "threshold": None if state.threshold is None else str(state.threshold),
        "holds": _holds_cell(state),
        "faults": " ".join(state.faults),
        "judged_on": snapshot.judgement.from_on.isoformat() if snapshot and frozen else None,
        "judged_as": JUDGEMENT_WORDS[snapshot.judgement.state].lower() if snapshot and frozen else None,
        "judged_reached": frozen.reached if frozen else None,
        "judged_total": frozen.total if frozen else None,
        "address": state.address,
        "sha256": state.digest,
        "file": files.get(state.reference),
    }


def _holds_cell(state: EvidenceState) -> str:
    if state.faults == (HIDDEN,):
        return ""
    return "yes" if state.holds else "no"


def _find_frozen(answer: RecommendationAnswer, reference: str) -> EvidenceState | None:
    """A piece of evidence as the confirmed judgement froze it; None in an FOI edition."""
    snapshot = answer.recommendation.judgement
    if snapshot is None or answer.foi:
        return None
    values = next((values for values in snapshot.judgement.figures if values["reference"] == reference), None)
    return EvidenceState.from_json(values) if values else None


def definition_rows(answers: Sequence[RecommendationAnswer]) -> Definitions:
    """What is counted in each figure and how, a row for each term."""
    return list(_list_definitions(answers))


def _list_definitions(answers: Sequence[RecommendationAnswer]) -> Iterator[tuple[str, str]]:
    for answer in answers:
        for state in answer.states.values():
            for term, meaning in state.definition:
                if meaning:
                    yield f"{state.reference}: {term}", meaning


def dictionary_rows(tables: Mapping[str, Sequence[str]]) -> list[Row]:
    """What each column means, by table."""
    return [(table, column, COLUMNS[column]) for table, columns in tables.items() for column in columns]
