"""The kinds of evidence that are not counted: documents, links and statements."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, insert, select

from config import current_settings
from portal.domain.catalogue.upkeep import find_faults, public_policy
from portal.domain.reports.parameters import Position, read_position_today
from portal.features.assurance.desk import EvidenceSnapshot, EvidenceState, read_held_by_subject
from portal.features.assurance.evidence_counts import (
    PieceAtPosition,
    WholeForce,
    parse_acknowledgements,
    parse_attendance,
    parse_figure,
    parse_samples,
)
from portal.features.assurance.models import EvidenceDocument, EvidenceLinkCheck, EvidenceVersion
from portal.features.assurance.services import LONGEST_TEXT, LONGEST_TITLE, EntryRefusedError
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.audit import log
from portal.platform.db import db, stamp, transaction
from portal.platform.errors import require
from portal.platform.jobs.registry import Arguments, JobProgress, Task

# The kind document: a PDF that the force keeps as evidence, by its hash.

MOST_BYTES = 10 * 1024 * 1024
MEDIA_TYPE = "application/pdf"
LONGEST_NAME = 100
_TAIL = 2_048  # bytes at the end, in which a PDF says where its table is
NOT_PDF = "Choose a PDF file. This file is none, or it is cut off."
NOT_KEPT = "The document is not kept."


def check_pdf(content: bytes) -> None:
    """Refuse what is no whole PDF."""
    if len(content) > MOST_BYTES:
        raise EntryRefusedError("file", f"Choose a PDF file of at most {MOST_BYTES // 1024 // 1024} MB.")
    tail = content[-_TAIL:]
    if not content.startswith(b"%PDF-") or b"startxref" not in tail or b"%%EOF" not in tail:
        raise EntryRefusedError("file", NOT_PDF)


def keep_document(content: bytes, file_name: str, *, by: int) -> dict[str, Any]:
    """Keep a PDF, once however often it is sent, and return the definition of its piece of evidence.

    Raises:
        EntryRefusedError: It is no PDF, or too large.
    """
    check_pdf(content)
    at = stamp()
    digest = hashlib.sha256(content).hexdigest()
    name = _clean_name(file_name)
    if db.session.scalar(select(EvidenceDocument.digest).where(EvidenceDocument.digest == digest)) is None:
        row = EvidenceDocument(
            digest=digest,
            recorded_at=at,
            file_name=name,
            media_type=MEDIA_TYPE,
            content=content,
            recorded_by_id=by,
        )
        db.session.add(row)
        db.session.flush()
    return {"digest": digest, "file_name": name}


def read_document(digest: str) -> EvidenceDocument:
    """A document that is kept."""
    return require(db.session.get(EvidenceDocument, digest), "There is no such document.")


def check_documents(pieces: Sequence[PieceAtPosition], _force: WholeForce) -> list[EvidenceState]:
    """What documents are kept, and since when. One statement, which reads no document."""
    digests = sorted({pair.piece.version.definition["digest"] for pair in pieces})
    rows = db.session.execute(
        select(
            EvidenceDocument.digest, EvidenceDocument.recorded_at, func.length(EvidenceDocument.content)
        ).where(EvidenceDocument.digest.in_(digests))
    )
    documents = {digest: (at, size) for digest, at, size in rows}
    return [_check_document(pair, documents) for pair in pieces]


def _check_document(pair: PieceAtPosition, documents: Mapping[str, tuple[datetime, int]]) -> EvidenceState:
    piece = pair.piece
    digest, name = piece.version.definition["digest"], piece.version.definition["file_name"]
    row = documents.get(digest)
    if row is not None and row[0] > pair.position.as_known_on:
        row = None
    shown = (
        "Not kept"
        if row is None
        else f"{name}, PDF of {say.size_words(row[1])}, kept since {say.date(row[0])}"
    )
    return EvidenceState(
        piece.reference,
        piece.version.title,
        piece.version.kind,
        shown,
        faults=() if row else (NOT_KEPT,),
        definition=(("Document", name), ("SHA-256", digest)),
        address=f"/assurance/documents/{digest}.pdf",
        digest=digest,
    )


def _clean_name(file_name: str) -> str:
    """The last part of a file's name, bounded and printable, with the ending of a PDF."""
    last = PurePath(file_name.replace("\\", "/")).name
    stem = "".join(letter for letter in last if letter.isprintable()).removesuffix(".pdf").strip()
    return f"{stem[:LONGEST_NAME] or 'document'}.pdf"


# The kind link: a page of the web, and whether it answered when the portal asked last.

LONGEST_ADDRESS = 500  # characters
ASKED_EVERY = timedelta(days=7)
NOT_ASKED = "Not asked yet whether the page answers"


def parse_link(values: Mapping[str, str], position: Position) -> dict[str, Any]:
    """The definition that a form's field gives.

    Args:
        values: ``address``, which begins with https.
        position: Of today; it says nothing of a link.
    """
    address = values.get("address", "").strip()
    try:
        parts = urlsplit(address)
        host, has_user = parts.hostname or "", "@" in parts.netloc
    except ValueError:
        parts, host, has_user = urlsplit(""), "", False
    if parts.scheme != "https" or "." not in host or has_user or any(map(str.isspace, address)):
        raise EntryRefusedError(
            "address", "Enter the address of a page, such as https://www.police.example/plan."
        )
    if len(address) > LONGEST_ADDRESS:
        raise EntryRefusedError("address", f"Enter an address of at most {LONGEST_ADDRESS} characters.")
    return {"address": address}


def check_links(pieces: Sequence[PieceAtPosition], _force: WholeForce) -> list[EvidenceState]:
    """Whether pages answered when they were asked last, by the day of a position. One statement."""
    check, pages = EvidenceLinkCheck, sorted({_page_of(pair.piece) for pair in pieces})
    rows = db.session.execute(
        select(check.address, check.recorded_at, check.checked_at, check.fault)
        .where(check.address.in_(pages))
        .order_by(check.checked_at, check.id)
    )
    answers: dict[str, list[tuple[datetime, datetime, str]]] = defaultdict(list)
    for address, recorded_at, checked_at, fault in rows:
        answers[address].append((recorded_at, checked_at, fault))
    return [
        _check_link(pair.piece, _find_last(answers[_page_of(pair.piece)], pair.position)) for pair in pieces
    ]


def _find_last(
    answers: Sequence[tuple[datetime, datetime, str]], position: Position
) -> tuple[datetime, str] | None:
    """When a page was asked last by a position, and what was wrong; None: it had not been asked."""
    end = clock.end_of_day(position.as_at)
    for recorded_at, checked_at, fault in reversed(answers):
        if recorded_at <= position.as_known_on and checked_at <= end:
            return checked_at, fault
    return None


def _check_link(piece: EvidenceSnapshot, last: tuple[datetime, str] | None) -> EvidenceState:
    address = piece.version.definition["address"]
    day, fault = (say.date(last[0]), last[1]) if last else ("", "")
    shown = NOT_ASKED
    if last is not None:
        shown = f"No answer on {day}" if fault else f"Answered on {day}"
    return EvidenceState(
        piece.reference,
        piece.version.title,
        piece.version.kind,
        shown,
        faults=(f"Asked on {day}: {fault}",) if fault else (),
        definition=(("Page", address),),
        address=address,
    )


def _page_of(piece: EvidenceSnapshot) -> str:
    """The address without the part after #, which no server is asked for."""
    return _without_part(piece.version)


def _without_part(version: EvidenceVersion) -> str:
    return str(version.definition["address"]).partition("#")[0]


def list_asked_pages(position: Position) -> list[str]:
    """The pages that are evidence at a position, each once. One statement."""
    versions = read_held_by_subject(EvidenceVersion, "evidence_id", position).values()
    links = (version for version in versions if version.kind == "link" and not version.withdrawn)
    return sorted({_without_part(version) for version in links})


def save_link_checks(faults: Mapping[str, str | None], at: datetime) -> None:
    """Record how each page answered; earlier answers stay."""
    recorded_at = stamp()
    broken = sum(bool(fault) for fault in faults.values())
    log("evidence.links_checked", actor_id=None, pages=len(faults), broken=broken)
    rows = [
        {"recorded_at": recorded_at, "address": address, "checked_at": at, "fault": fault or ""}
        for address, fault in faults.items()
    ]
    if rows:
        db.session.execute(insert(EvidenceLinkCheck), rows)


def is_link_check_due(now: datetime) -> bool:
    """Whether pages are to be asked now: where ``LINK_CHECK`` is on, once a week, if there are any."""
    if current_settings().link_check != "on":
        return False
    newest = select(EvidenceLinkCheck.checked_at).order_by(EvidenceLinkCheck.id.desc()).limit(1)
    last = db.session.scalar(newest)
    return (last is None or now - last >= ASKED_EVERY) and bool(list_asked_pages(read_position_today(now)))


def run_link_check(job: JobProgress, _arguments: Arguments) -> dict[str, Any]:
    """Ask every page that is evidence, and record the answers."""
    faults = find_faults(
        list_asked_pages(read_position_today(clock.now())), public_policy(), job.report_progress
    )
    with transaction():
        save_link_checks(faults, clock.now())
    broken = sum(bool(fault) for fault in faults.values())
    return {"said": [f"{say.plural(len(faults), 'page')} asked, {say.plural(broken, 'broken link')}."]}


TASKS = (
    Task(
        "assurance.links",
        "Check of pages that are evidence",
        run_link_check,
        due=lambda: is_link_check_due(clock.now()),
        rest=timedelta(days=1),
        low_priority=True,
    ),
)


# The kind statement: what a person signs in the force's name. Its text never changes.


def parse_statement(values: Mapping[str, str], position: Position) -> dict[str, Any]:
    """The definition that a form's fields give.

    Args:
        values: ``text``, and ``post``: as what the person signs, such as "Head of Crime".
        position: Of today, the day on which it is signed.
    """
    text, post = (values.get(name, "").strip().replace("\r\n", "\n") for name in ("text", "post"))
    if not text or len(text) > LONGEST_TEXT:
        raise EntryRefusedError(
            "text", f"Write the statement, in at most {say.number(LONGEST_TEXT)} characters."
        )
    if not post or len(post) > LONGEST_TITLE:
        raise EntryRefusedError(
            "post", "Enter the post in which you sign, such as Assistant Chief Constable (crime)."
        )
    return {"text": text, "post": post, "signed_on": position.as_at.isoformat()}


def check_statements(pieces: Sequence[PieceAtPosition], _force: WholeForce) -> list[EvidenceState]:
    """What statements show: who signed, in which post, and when. No statement of SQL."""
    return [_check_statement(pair.piece) for pair in pieces]


def _check_statement(piece: EvidenceSnapshot) -> EvidenceState:
    version = piece.version
    text, post = version.definition["text"], version.definition["post"]
    signed_on = version.definition.get("signed_on")  # a later title or review date is no signature
    day = say.date(date.fromisoformat(signed_on) if signed_on else version.from_on)
    return EvidenceState(
        piece.reference,
        version.title,
        version.kind,
        f"Signed as {post} on {day}",
        definition=(("Statement", text), ("Signed as", post), ("Signed on", day)),
        digest=digest_of_statement(text),
    )


def digest_of_statement(text: str) -> str:
    """The SHA-256 of a statement's text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


# The kinds of evidence: how each is called, and how its definition is read from a form.

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
