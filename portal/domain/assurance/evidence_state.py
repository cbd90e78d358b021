"""What a piece of evidence shows at a position, and whether it still holds."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class EvidenceState:
    """A piece of evidence, read at a position.

    Attributes:
        reference: Such as E-0001.
        title: What it is, in its author's words.
        kind: One of ``EVIDENCE_KINDS``.
        shown: What it shows, as a short sentence: "241 of 310 people attended (77.7%)".
        reached: The numerator of a figure; None where the kind has no figure.
        total: The denominator of a figure; None where the kind has no figure.
        threshold: The share that the figure must reach, from 0 to 1; None where none is set.
        faults: Why it no longer holds, a sentence each: below its threshold, past its review date, a broken
            link …; empty: it holds.
        definition: What is counted and how, as pairs of term and meaning.
        address: Where a person sees what is behind it, within the portal or on the web; "" for nowhere.
        digest: The SHA-256 of its document, or of the text of its statement; "" for other kinds.
    """

    reference: str
    title: str
    kind: str
    shown: str
    reached: int | None = None
    total: int | None = None
    threshold: Decimal | None = None
    faults: tuple[str, ...] = ()
    definition: tuple[tuple[str, str], ...] = ()
    address: str = ""
    digest: str = ""

    @property
    def holds(self) -> bool:
        """Whether it may be relied on at its position."""
        return not self.faults

    def to_json(self) -> dict[str, Any]:
        """As a judgement keeps it and as a pack writes it."""
        return {
            "reference": self.reference,
            "title": self.title,
            "kind": self.kind,
            "shown": self.shown,
            "reached": self.reached,
            "total": self.total,
            "threshold": None if self.threshold is None else str(self.threshold),
            "faults": list(self.faults),
            "definition": [list(pair) for pair in self.definition],
            "address": self.address,
            "digest": self.digest,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "EvidenceState":
        """Read back what ``to_json`` wrote."""
        threshold = values["threshold"]
        return cls(
            **{
                **values,
                "threshold": None if threshold is None else Decimal(threshold),
                "faults": tuple(values["faults"]),
                "definition": tuple((term, meaning) for term, meaning in values["definition"]),
            }
        )
