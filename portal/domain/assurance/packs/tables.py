"""The tables of an answer pack, and what their columns and each figure mean. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.assurance.packs.answers import RecommendationAnswer
from portal.domain.assurance.packs.foi import HIDDEN
from portal.domain.assurance.wording import JUDGEMENT_WORDS
from portal.domain.reports.packs.texts import Definitions
from portal.platform.wording import percent_cut

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
