"""The certificate of a pass or an attendance as the typesetter's markup. Pure; every text in it is quoted."""

from dataclasses import dataclass
from datetime import date

from portal.domain.records.queries import RecordRow
from portal.platform.documents.markup import quote_text, text_content
from portal.platform.wording import date as date_words
from portal.platform.wording import instant, percent_exact

SEEN_BY = (
    "The page is shown, after signing in, to the holder and to those in the force who may see their record. "
    "The last character of the reference guards against mistyping."
)


_ACTS = {
    "module": "passed the assessment of the e-learning module",
    "event": "attended the taught event, to its end, and was signed off",
}
_NOUNS = {"module": "pass", "event": "attendance"}


@dataclass(frozen=True, slots=True)
class CertificateTexts:
    """What a certificate says beside its record."""

    holder: str
    force: str
    address: str  # of the record's page
    day: date  # on which the pass stands


def certificate_markup(record: RecordRow, first: RecordRow, texts: CertificateTexts) -> str:
    """The body of a certificate.

    Args:
        record: The current row of the record.
        first: Its first row, with the version, and the pass mark or the event.
        texts: The rest.
    """
    rule = '#line(length: 100%, stroke: 1.5pt + rgb("#14284b"))\n'
    return "\n".join(
        [
            f"{rule}#v(14mm)",
            _line("This certifies that", 14),
            _heading(texts.holder),
            _line(_ACTS[first.kind], 14),
            _heading(first.title),
            _line(f"{texts.force}, {date_words(record.achieved_at)}", 14),
            f"#v(14mm)\n{rule}#v(6mm)",
            _facts_table(record, first, texts.day),
            "#v(6mm)",
            text_content(f"Whether the {_NOUNS[first.kind]} still stands can be checked by its reference at ")
            + f"#link({quote_text(texts.address)})[{text_content(texts.address)}]"
            + text_content(f". {SEEN_BY}"),
            "",
            text_content(
                f"Original training text of {texts.force}: not College of Policing material and not "
                "operational guidance."
            ),
        ]
    )


def _facts_table(record: RecordRow, first: RecordRow, day: date) -> str:
    noun = _NOUNS[first.kind]
    proof = (
        [("Attended", date_words(record.achieved_on)), ("Event", first.event_reference or "")]
        if first.kind == "event"
        else [("Passed", instant(record.achieved_at))]
    )
    version = (
        "Version of the event type" if first.kind == "event" else "Version of the module",
        str(first.version),
    )
    mark = [("Pass mark", percent_exact(first.mastery_score))] if first.mastery_score else []
    stands = (f"The {noun} stands on", date_words(day))
    facts = [("Reference", record.reference), *proof, version, *mark, stands]
    cells = ", ".join(f"[{text_content(cell)}]" for fact in facts for cell in fact)
    head = f"table.header([{text_content('Recorded')}], [{text_content(f'Of this {noun}')}])"
    return f"#table(columns: (auto, auto), inset: 7pt, {head}, {cells})"


def _line(text: str, points: int) -> str:
    return f"#par[#text(size: {points}pt)[{text_content(text)}]]\n"


def _heading(text: str) -> str:
    return f"#heading(level: 2)[#text(size: 24pt)[{text_content(text)}]]\n#v(4mm)"
