"""The kind link: a page of the web, and whether it answered when the portal asked last."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import insert, select

from config import current_settings
from portal.domain.assurance.desk import EvidenceSnapshot
from portal.domain.assurance.entering import EntryRefusedError
from portal.domain.assurance.evidence.positions import PieceAtPosition, WholeForce
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.assurance.held_facts import read_held_by_subject
from portal.domain.assurance.models import EvidenceLinkCheck, EvidenceVersion
from portal.domain.catalogue.link_checks import find_faults, public_policy
from portal.domain.reports.parameters import Position, read_position_today
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.audit.services import log
from portal.platform.db import db, stamp, transaction
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Arguments, Task

LONGEST_ADDRESS = 500  # characters
ASKED_EVERY = timedelta(days=7)
NOT_ASKED = "Not asked yet whether the page answers"


def parse_link(values: Mapping[str, str], position: Position) -> dict[str, Any]:
    """The definition that a form's field gives.

    Args:
        values: ``address``, which begins with https.
        position: Of today; it says nothing of a link.

    Raises:
        EntryRefusedError: It is no such address, or names somebody's password.
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
