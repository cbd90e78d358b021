"""The kinds of evidence: how each is called, and how its definition is read from a form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.domain.assurance.evidence.figure import parse_figure
from portal.domain.assurance.evidence.link import parse_link
from portal.domain.assurance.evidence.records import parse_acknowledgements, parse_attendance
from portal.domain.assurance.evidence.samples import parse_samples
from portal.domain.assurance.evidence.statement import parse_statement
from portal.domain.reports.parameters import Position

Parse = Callable[[Mapping[str, str], Position], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class EvidenceKind:
    """A kind of evidence as pages offer it."""

    key: str  # one of EVIDENCE_KINDS
    label: str
    hint: str
    parse: Parse | None  # from the fields of a form; None: its definition is made from a file


KINDS = {
    kind.key: kind
    for kind in (
        EvidenceKind(
            "figure",
            "Figure of a directive",
            "How many people are complete, counted as the directive’s report counts.",
            parse_figure,
        ),
        EvidenceKind(
            "acknowledgements",
            "Acknowledgements of a guide",
            "How many people in post stated that they have read it.",
            parse_acknowledgements,
        ),
        EvidenceKind(
            "attendance",
            "Attendance at an event",
            "How many people in post attended an event of this type.",
            parse_attendance,
        ),
        EvidenceKind(
            "samples",
            "Dip samples",
            "A share of intelligence documents, from what supervisors counted.",
            parse_samples,
        ),
        EvidenceKind("document", "Document", "A PDF, kept as it is.", None),
        EvidenceKind("link", "Link", "A page of the web; the portal asks whether it answers.", parse_link),
        EvidenceKind(
            "statement", "Signed statement", "What you sign in your post. It never changes.", parse_statement
        ),
    )
}
IMMUTABLE = frozenset({"statement"})  # kinds whose definition never changes
REVIEWED = frozenset(
    {"document", "statement"}
)  # kinds that nothing but a review date tells to be out of date
