"""The certificate of a pass as the typesetter's markup. Pure; every text is a quoted string in it."""

from dataclasses import dataclass
from datetime import date

from portal.domain.records.queries import RecordRow
from portal.platform.documents.markup import quote_text, text_content
from portal.platform.wording import date as date_words
from portal.platform.wording import instant

SEEN_BY = (
    "The page is shown, after signing in, to the holder and to those in the force who may see their record. "
    "The last character of the reference guards against mistyping."
)


@dataclass(frozen=True, slots=True)
class CertificateTexts:
    """What a certificate says beside its record."""

    holder: str
    force: str
    address: str  # of the record's page
    day: date  # on which the pass stands


def certificate_markup(record: RecordRow, passed: RecordRow, texts: CertificateTexts) -> str:
    """The body of a certificate.

    Args:
        record: The current row of the record.
        passed: Its first row, with the version and the pass mark.
        texts: The rest.
    """
    rule = '#line(length: 100%, stroke: 1.5pt + rgb("#14284b"))\n'
    return "\n".join(
        [
            f"{rule}#v(14mm)",
            _line("This certifies that", 14),
            _heading(texts.holder),
            _line("passed the assessment of the e-learning module", 14),
            _heading(passed.title),
            _line(f"{texts.force}, {date_words(record.achieved_at)}", 14),
            f"#v(14mm)\n{rule}#v(6mm)",
            _facts_table(record, passed, texts.day),
            "#v(6mm)",
            text_content("Whether the pass still stands can be checked by its reference at ")
            + f"#link({quote_text(texts.address)})[{text_content(texts.address)}]"
            + text_content(f". {SEEN_BY}"),
            "",
            text_content(
                f"Original training text of {texts.force}: not College of Policing material and not "
                "operational guidance."
            ),
        ]
    )


def _facts_table(record: RecordRow, passed: RecordRow, day: date) -> str:
    facts = [
        ("Reference", record.reference),
        ("Passed", instant(record.achieved_at)),
        ("Version of the module", str(passed.version)),
        ("Pass mark", f"{float((passed.mastery_score or 0) * 100):g}%"),
        ("The pass stands on", date_words(day)),
    ]
    cells = ", ".join(f"[{text_content(cell)}]" for fact in facts for cell in fact)
    head = f"table.header([{text_content('Recorded')}], [{text_content('Of this pass')}])"
    return f"#table(columns: (auto, auto), inset: 7pt, {head}, {cells})"


def _line(text: str, points: int) -> str:
    return f"#par[#text(size: {points}pt)[{text_content(text)}]]\n"


def _heading(text: str) -> str:
    return f"#heading(level: 2)[#text(size: 24pt)[{text_content(text)}]]\n#v(4mm)"
