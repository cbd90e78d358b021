"""Reads the desk at a position and makes an answer pack of it: the same for the job and the command."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from portal.domain.assurance.desk import (
    EvidenceSnapshot,
    RecommendationSnapshot,
    read_desk,
    read_recommendation,
)
from portal.domain.assurance.evidence.checks import check_evidence
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.assurance.models import EvidenceDocument
from portal.domain.assurance.narrative.fields import list_fields
from portal.domain.assurance.packs.annexes import Annexes, AnnexWish, directives_of, write_annexes
from portal.domain.assurance.packs.answers import RecommendationAnswer
from portal.domain.assurance.packs.contents import PackSource, write_answer_pack
from portal.domain.assurance.packs.foi import PublishedNumbers, choose_frame, hide_numbers
from portal.domain.assurance.packs.kinds import ALL, FOI, refuse_forecast
from portal.domain.assurance.wording import DeskNames, name_people
from portal.domain.people.queries import Viewer
from portal.domain.reports.packs.archive import PackFile
from portal.domain.reports.packs.contents import ReportDone
from portal.domain.reports.packs.kinds import settle_position
from portal.domain.reports.parameters import Position
from portal.platform.db import db
from portal.platform.errors import NotFoundError

MISSING = "The document of {reference} is no longer kept, so it is not in this pack."
Attached = dict[str, tuple[PackFile, bytes]]


@dataclass(frozen=True)
class AnswerWish:
    """Which pack is to be made."""

    key: str  # of the recommendation, or ``ALL``
    name: str  # one of ``kinds.NAMES``
    position: Position
    force: str
    small: int  # the small number of an FOI edition

    @property
    def is_foi(self) -> bool:
        """Whether it is the FOI edition."""
        return self.name == FOI


class WrittenPack(NamedTuple):
    """A pack that is written."""

    sha256: str
    people: set[int]  # who is named in it


def read_answered_recommendations(key: str, position: Position) -> list[RecommendationSnapshot]:
    """The recommendations that a pack answers.

    Raises:
        NotFoundError: There is none with this key, or none at all, or it was not known then.
    """
    recommendations = read_desk(position) if key == ALL else [read_recommendation(key, position)]
    if not recommendations:
        raise NotFoundError("No recommendation was on the desk at this position.")
    return recommendations


def make_answer_pack(
    wish: AnswerWish, viewer: Viewer, folder: Path, target: Path, done: ReportDone
) -> WrittenPack:
    """Write a pack.

    Args:
        wish: Which.
        viewer: For whom; sees the whole force.
        folder: An empty folder for its files.
        target: The ZIP.
        done: Is told how many rows of the annexes are written.

    Raises:
        NotFoundError: As ``read_answered_recommendations``.
        PositionError: The position is a forecast.
    """
    refuse_forecast(wish.position)
    position = settle_position(wish.position)
    recommendations = read_answered_recommendations(wish.key, position)
    pieces = [piece for recommendation in recommendations for piece in recommendation.evidence]
    annex_wish = AnnexWish(viewer, position, wish.is_foi, wish.force, wish.small)
    annexes = write_annexes(annex_wish, directives_of(pieces), folder, done)
    desk = _read_edition(wish, position, recommendations, annexes)
    source = PackSource(
        key=wish.key,
        position=position,
        force=wish.force,
        answers=[_make_answer(recommendation, wish, desk) for recommendation in recommendations],
        attached=desk.attached,
        annexes=annexes.files,
        remarks=[*annexes.refusals, *desk.lost_documents],
        foi=wish.is_foi,
        small=wish.small,
    )
    return WrittenPack(write_answer_pack(source, folder, target), annexes.people | desk.owners)


class _DeskAtPosition(NamedTuple):
    """What all answers of a pack are made of, as its edition shows it."""

    position: Position
    states: dict[str, EvidenceState]  # by reference
    owners: set[int]
    names: DeskNames
    attached: Attached
    lost_documents: list[str]  # a sentence for each document that is no longer kept
    annexes: Sequence[PackFile]


def _read_edition(
    wish: AnswerWish, position: Position, recommendations: Sequence[RecommendationSnapshot], annexes: Annexes
) -> _DeskAtPosition:
    pieces = [piece for recommendation in recommendations for piece in recommendation.evidence]
    states = check_evidence(pieces, position)
    if wish.is_foi:
        every = [piece for recommendation in read_desk(position) for piece in recommendation.evidence]
        published = PublishedNumbers(annexes.published, choose_frame(every))
        states = {
            piece.reference: hide_numbers(
                states[piece.reference], piece.version.definition, published, wish.small
            )
            for piece in pieces
        }
        return _DeskAtPosition(position, states, set(), DeskNames(), {}, [], annexes.files)
    owners = _list_owners(recommendations)
    attached, lost_documents = _read_attached(pieces, states)
    return _DeskAtPosition(
        position, states, owners, name_people(owners), attached, lost_documents, annexes.files
    )


def _make_answer(
    recommendation: RecommendationSnapshot, wish: AnswerWish, desk: _DeskAtPosition
) -> RecommendationAnswer:
    own = {piece.reference: desk.states[piece.reference] for piece in recommendation.evidence}
    prefixes = tuple(f"{reference}-" for reference in directives_of(recommendation.evidence))
    files = [desk.attached[reference][0] for reference in own if reference in desk.attached]
    files += [file for file in desk.annexes if file.name.startswith(prefixes)]
    sentences = tuple(f"{file.name}: {file.contents}." for file in files)
    fields = tuple(list_fields(recommendation, own, desk.position, wish.force))
    return RecommendationAnswer(recommendation, own, fields, desk.names, wish.is_foi, sentences)


def _list_owners(recommendations: Iterable[RecommendationSnapshot]) -> set[int]:
    """Whom an answer names: owners of recommendations and of actions."""
    owners = {recommendation.owner_id for recommendation in recommendations}
    owners |= {
        action.version.owner_id for recommendation in recommendations for action in recommendation.actions
    }
    return {owner for owner in owners if owner is not None}


def _read_attached(
    pieces: Sequence[EvidenceSnapshot], states: dict[str, EvidenceState]
) -> tuple[Attached, list[str]]:
    """The documents and the texts of statements, by reference; and what is to be said of those not kept."""
    digests = {states[piece.reference].digest for piece in pieces if piece.version.kind == "document"}
    statement = select(EvidenceDocument).where(EvidenceDocument.digest.in_(sorted(digests)))
    documents = {row.digest: row.content for row in db.session.scalars(statement)} if digests else {}
    attached: Attached = {}
    lost_documents = []
    for piece in pieces:
        reference, kind = piece.reference, piece.version.kind
        if kind == "statement":
            text = str(piece.version.definition["text"]).encode()
            attached[reference] = _name_file(piece, "statement", "txt"), text
        elif kind == "document" and (content := documents.get(states[reference].digest)) is not None:
            attached[reference] = _name_file(piece, "document", "pdf"), content
        elif kind == "document":
            lost_documents.append(MISSING.format(reference=reference))
    return attached, lost_documents


def _name_file(piece: EvidenceSnapshot, kind: str, form: str) -> PackFile:
    return PackFile(f"{kind}-{piece.reference}.{form}", f"{kind} {piece.reference}, {piece.version.title}")
