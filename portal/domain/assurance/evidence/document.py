"""The kind document: a PDF that the force keeps as evidence, by its hash."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any

from sqlalchemy import func, select

from portal.domain.assurance.entering import EntryRefusedError
from portal.domain.assurance.evidence.positions import PieceAtPosition, WholeForce
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.assurance.models import EvidenceDocument
from portal.platform import wording as say
from portal.platform.db import db, stamp
from portal.platform.errors import NotFoundError

MOST_BYTES = 10 * 1024 * 1024
MEDIA_TYPE = "application/pdf"
LONGEST_NAME = 100
_TAIL = 2_048  # bytes at the end, in which a PDF says where its table is
NOT_PDF = "Choose a PDF file. This file is none, or it is cut off."
NOT_KEPT = "The document is not kept."


def check_pdf(content: bytes) -> None:
    """Refuse what is no whole PDF.

    Raises:
        EntryRefusedError: It is empty, too large, no PDF, or cut off.
    """
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
    """A document that is kept.

    Raises:
        NotFoundError: None has this hash.
    """
    row = db.session.get(EvidenceDocument, digest)
    if row is None:
        raise NotFoundError("There is no such document.")
    return row


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
