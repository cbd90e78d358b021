"""Answer packs: their editions, their files, and the job that makes one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from config import current_settings
from portal.domain.people.queries import require_starter
from portal.domain.people.visibility import Viewer, visibility_of
from portal.domain.reports import export_files, sentences
from portal.domain.reports.export_files import FileWish, file_folder, remove_expired_files
from portal.domain.reports.models import PreparedFile
from portal.domain.reports.packs import (
    NOT_KNOWN,
    README,
    Definitions,
    PackFile,
    ReportDone,
    SettledPosition,
    definition_table,
    describe_pack,
    settle_position,
    time_definitions,
    write_archive,
    write_small_table,
)
from portal.domain.reports.parameters import Position, PositionError, parse_position
from portal.features.assurance.desk import (
    EvidenceSnapshot,
    EvidenceState,
    RecommendationSnapshot,
    read_desk,
    read_recommendation,
)
from portal.features.assurance.evidence import check_evidence
from portal.features.assurance.feature import VIEW
from portal.features.assurance.models import EvidenceDocument
from portal.features.assurance.narratives import list_fields
from portal.features.assurance.recommendations import DeskNames, name_people
from portal.features.packs import contents as pack_contents
from portal.features.packs.contents import (
    Annexes,
    AnnexWish,
    Block,
    HeadingBlock,
    ParagraphBlock,
    PointsBlock,
    PublishedNumbers,
    RecommendationAnswer,
    answer_blocks,
    blocks_as_markdown,
    blocks_as_markup,
    choose_frame,
    describe_suppression,
    directives_of,
    hide_numbers,
    write_annexes,
)
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.audit import log_copy, log_file
from portal.platform.db import db, newest_stamp, transaction
from portal.platform.documents.typesetting import typeset_pdf
from portal.platform.errors import ForbiddenError, NotFoundError
from portal.platform.jobs.registry import JobProgress, Task
from portal.platform.permissions import Permission

# The two editions of an answer pack: what each is, for which position, and its name.

ANSWER, FOI = "answer-pack.zip", "foi-answer-pack.zip"
NAMES = (ANSWER, FOI)
EDITIONS = {"answer": ANSWER, "foi": FOI}  # by the last part of the address with which it is asked for
ALL = "all"  # what stands for a recommendation's key where the pack answers every one


def refuse_forecast(position: Position) -> None:
    """Refuse a position that is no evidence.

    Raises:
        PositionError: The day is later than the records used.
    """
    if position.forecast:
        raise PositionError("as_known_on", NOT_KNOWN)


def answer_name(key: str, name: str, position: Position) -> str:
    """The name under which a pack is downloaded: recommendation, edition and day.

    Args:
        key: Of the recommendation, or ``ALL``.
        name: One of ``NAMES``.
        position: As at which day, as known on which instant.
    """
    kind, _, form = name.rpartition(".")
    return f"{'recommendations' if key == ALL else key}-{kind}-{position.as_at.isoformat()}.{form}"


def describe_event(key: str, name: str, position: Mapping[str, str], sha256: str) -> dict[str, Any]:
    """What the audit trail keeps of a pack, beside the people in it."""
    shape = name.rpartition(".")[0]
    return {"recommendation": key, "shape": shape, "sha256": sha256, **position}


# Writes the files of an answer pack, then the pack. The same position gives the same bytes.

ANSWER_PDF = PackFile("answer.pdf", "the answer, for people")
ANSWER_TEXT = PackFile("answer.md", "the same as text, to copy from")
FIGURES = PackFile("figures.csv", "each figure, beside what the judgement froze of it")
FIGURES_FOI = PackFile(FIGURES.name, "each figure that may be published")
EVIDENCE = PackFile("evidence.csv", "every piece of evidence, with the hash of its document")
DEFINITIONS = PackFile("definitions.csv", "what each figure counts and how")
DICTIONARY = PackFile("data-dictionary.csv", "what each column means")
_STYLE = "#show heading.where(level: 3): set text(size: 11.5pt)\n"  # a narrative’s are smaller
NAMES_PEOPLE = (
    "This pack is about named people: owners, and the people in its annexes. Keep it as you keep personnel "
    "files, and send it only to those who may see them. For the public there is an FOI edition."
)


@dataclass(frozen=True)
class PackSource:
    """What an answer pack is made of."""

    key: str  # of the recommendation, or that of all
    position: SettledPosition
    force: str
    answers: Sequence[RecommendationAnswer]
    attached: Mapping[str, tuple[PackFile, bytes]]  # documents and statements, by reference of evidence
    annexes: Sequence[PackFile]  # written already
    remarks: Sequence[str]  # what is to be said of it, such as why an annex is missing
    foi: bool
    small: int

    @property
    def title(self) -> str:
        """What is answered."""
        if len(self.answers) == 1:
            return "Answer to a recommendation"
        return f"Answer to {say.plural(len(self.answers), 'recommendation')}"


def write_answer_pack(source: PackSource, folder: Path, target: Path) -> str:
    """Write the pack.

    Args:
        source: What it is made of.
        folder: The folder with its annexes, to which its other files are added.
        target: The ZIP.

    Returns:
        The SHA-256 of the ZIP.
    """
    _write_answer(source, folder)
    _write_tables(source, folder)
    for file, content in source.attached.values():
        (folder / file.name).write_bytes(content)
    figures = FIGURES_FOI if source.foi else FIGURES
    files = [ANSWER_PDF, ANSWER_TEXT, figures, EVIDENCE, DEFINITIONS, DICTIONARY]
    files += [*(file for file, _ in source.attached.values()), *source.annexes]
    kind = "Answer pack, FOI edition" if source.foi else "Answer pack"
    readme = describe_pack(
        f"{kind}, {source.force}", source.title, source.position, _list_remarks(source), files
    )
    (folder / README).write_text(readme, encoding="utf-8", newline="\n")
    about = {
        "pack": "foi-answer" if source.foi else "answer",
        "force": source.force,
        "recommendations": [answer.recommendation.key for answer in source.answers],
        **source.position.pinned,
        **({"small_number": source.small} if source.foi else {}),
    }
    return write_archive(folder, [PackFile(README, "this text"), *files], about, target)


def _write_tables(source: PackSource, folder: Path) -> None:
    names = {reference: file.name for reference, (file, _) in source.attached.items()}
    heads, rows = pack_contents.figures_table(source.answers)
    write_small_table(folder / FIGURES.name, heads, rows)
    heads, rows = pack_contents.evidence_table(source.answers, names)
    write_small_table(folder / EVIDENCE.name, heads, rows)
    write_small_table(folder / DEFINITIONS.name, ("term", "meaning"), _definitions_of(source))
    columns = {"figures": pack_contents.FIGURES, "evidence": pack_contents.EVIDENCE}
    rows = pack_contents.dictionary_rows(columns)
    write_small_table(folder / DICTIONARY.name, ("table", "column", "meaning"), rows)


def _definitions_of(source: PackSource) -> Definitions:
    return [*time_definitions(source.position), *pack_contents.definition_rows(source.answers)]


def _list_remarks(source: PackSource) -> list[str]:
    if not source.foi:
        return [NAMES_PEOPLE, *source.remarks]
    states = [state for answer in source.answers for state in answer.states.values()]
    return [*describe_suppression(states, source.small), *source.remarks]


def _write_answer(source: PackSource, folder: Path) -> None:
    """Write the answer as PDF and as text, from the same parts."""
    times = f"{sentences.both_times(source.position)}."
    blocks: list[Block] = [ParagraphBlock(times)]
    if source.foi:
        blocks.append(PointsBlock(tuple(_list_remarks(source))))
    for answer in source.answers:
        blocks += answer_blocks(answer)
    markup = [_STYLE, blocks_as_markup(blocks), *definition_table(_definitions_of(source))]
    content = typeset_pdf(
        "\n".join(markup),
        title=source.title,
        above=f"{source.force} · Answer to an inspection",
        foot=times,
        author=source.force,
        at=source.position.as_known_on,
        across=True,
    )
    (folder / ANSWER_PDF.name).write_bytes(content)
    title = HeadingBlock(1, f"{source.force}: {source.title}")
    text = blocks_as_markdown([title, *blocks])
    (folder / ANSWER_TEXT.name).write_text(text, encoding="utf-8", newline="\n")


# Reads the desk at a position and makes an answer pack of it: the same for the job and the command.

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
    """The recommendations that a pack answers."""
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


# Requests for answer packs: prepared files as those of reports are, made by a job of their own kind.

KIND = "answer_pack"


def request_pack(key: str, name: str, position: Position, viewer: Viewer, *, at: datetime) -> UUID:
    """Start a job that makes a pack, unless the same one is under way or ready; in the caller's transaction.

    Args:
        key: Of the recommendation, or ``ALL``.
        name: Which edition, of ``NAMES``.
        position: As at which day, as known on which instant.
        viewer: Who requests it, and alone may download it.
        at: The current instant.

    Raises:
        PositionError: The position is a forecast.
        RuleError: So many files are being made for the person already.
    """
    refuse_forecast(position)
    read_answered_recommendations(key, position)
    wish = FileWish(key, name, position.pinned, {}, KIND)
    same = export_files.find_same_file(wish, viewer, at)
    return same or export_files.request_file(wish, by=viewer.person_id, at=at)


def get_own_pack(file_id: UUID, by: int, at: datetime) -> PreparedFile | None:
    """The pack that this person requested; None if it is not theirs, never was, or has expired."""
    row = export_files.get_own_file(file_id, by, at)
    return row if row is not None and row.name in NAMES else None


def record_pack_download(row: PreparedFile) -> None:
    """Record the download in the audit trail; in the caller's transaction."""
    detail: dict[str, Any] = {"recommendation": row.directive, "name": row.name, "file": str(row.id)}
    log_copy("answer_pack.downloaded", row.event_id, actor_id=row.asked_by_id, **detail, **row.position)


# The job that makes an answer pack, for its requester as they are when it runs.

REFUSED = "You may no longer make answer packs, so this one was not made."


def make_pack(progress: JobProgress, arguments: dict[str, Any]) -> dict[str, Any]:
    """Write the pack to a scratch folder, then put it in place in the transaction that ends the job."""
    remove_expired_files()
    row = export_files.get_requested_file(UUID(arguments["file"]), clock.now())
    viewer = require_maker(row.asked_by_id)
    visibility = export_files.visibility_values(viewer)
    file_id, key, name, times = row.id, row.directive, row.name, row.position
    position = parse_position(times["as_at"], times["as_known_on"], now=clock.now(), newest=newest_stamp())
    settings = current_settings()
    wish = AnswerWish(key, name, settle_position(position), settings.force_name, settings.small_number)
    progress.report_progress(0, 1, "Reading the desk")
    with file_folder().start_file(file_id) as new_file:
        folder = new_file.scratch / "pack"
        folder.mkdir(mode=0o700)
        pack = make_answer_pack(
            wish,
            viewer,
            folder,
            new_file.draft,
            lambda rows: progress.report_progress(rows, rows + 1, "Writing rows of the annexes"),
        )
        detail = describe_event(key, name, times, pack.sha256)
        with transaction():
            event = log_file(
                "answer_pack.exported", pack.people, actor_id=viewer.person_id, file=str(file_id), **detail
            )
            stored, download_name = new_file.put_in_place(), answer_name(key, name, wish.position)
            export_files.mark_file_made(file_id, stored, download_name, visibility, event.id, clock.now())
            result = {"SHA-256": pack.sha256}
            progress.conclude_job(result)
    return result


def require_maker(person_id: int) -> Viewer:
    """Who requested a pack, with the roles of today."""
    viewer = require_starter(person_id, VIEW, REFUSED)
    if Permission.COMPLETION_EXPORT not in viewer.permissions or not visibility_of(viewer).everyone:
        raise ForbiddenError(REFUSED)
    return viewer


def _page_address(arguments: dict[str, Any]) -> str:
    return f"/assurance/pack/files/{arguments['file']}"


TASKS = (Task(KIND, "Answer pack", make_pack, page=_page_address, own=True, low_priority=True),)
