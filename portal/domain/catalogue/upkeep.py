"""Links of published texts to the web: whether each page is still there."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any

from sqlalchemy import delete, func, insert, select

from config import current_settings
from portal.domain.catalogue.models import Activity, EventTypeVersion, GuideVersion, LinkCheck, ModuleVersion
from portal.domain.catalogue.publishing import current_guides
from portal.domain.catalogue.services import archived_activities, offered_modules
from portal.domain.catalogue.source_files import SourceText
from portal.domain.catalogue.version_cache import list_sources
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import db, transaction
from portal.platform.jobs.registry import Arguments, ItemFailures, JobProgress, Task
from portal.platform.outbound import OutboundError, OutboundFault, OutboundPolicy, parse_proxy, read_status
from portal.platform.wording import plural

_LINK = re.compile(r'href="(https?://[^"]+)"', re.IGNORECASE)
_FAULT_WORDS = {
    OutboundFault.ADDRESS: "It is not a public address with https, so the portal does not ask.",
    OutboundFault.NAME: "There is no machine of this name.",
    OutboundFault.UNREACHABLE: "It cannot be reached.",
    OutboundFault.PROXY: "The force’s proxy does not let it through.",
    OutboundFault.CERTIFICATE: "Its certificate is not valid.",
    OutboundFault.TIMEOUT: "It did not answer in ten seconds.",
    OutboundFault.NO_ANSWER: "It gave no answer that can be read.",
}
UNEXPECTED = "The portal could not ask. Support finds the reason in its log."
EVERY = timedelta(days=7)
GONE = 400  # the least status that says that a page cannot be read


@dataclass(frozen=True, slots=True)
class WebLink:
    """A link of a published text to a page of the web."""

    address: str  # without a part after #
    title: str  # of the lesson, sheet or guide
    parent_title: str  # of the module; "Guide" for a guide
    page: str  # address of the text in the portal


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """A link whose page did not answer as it should when it was checked last."""

    link: WebLink
    fault: str
    checked_at: datetime


def list_web_links() -> list[WebLink]:
    """Every link to the web of the newest versions of modules offered and of guides, in their order."""
    links: dict[WebLink, None] = {}
    for title, parent_title, page, html in _list_texts():
        for found in _LINK.findall(html):
            address = unescape(found).partition("#")[0]
            links[WebLink(address, title, parent_title, page)] = None
    return list(links)


def list_linked_addresses() -> list[str]:
    """The addresses of these links, each once."""
    return sorted({link.address for link in list_web_links()})


def _list_texts() -> Iterator[tuple[str, str, str, str]]:
    """Title, title of what it is in, address and HTML of each published text."""
    for version in offered_modules():
        address = f"/learning/modules/{version.activity.key}"
        for lesson in version.lessons:
            html = f"{lesson.html} {lesson.case_content or ''}"
            yield lesson.title, version.title, f"{address}/lessons/{lesson.key}", html
        job_aid, briefing = version.job_aid_html or "", version.briefing_html or ""
        yield version.job_aid_title or "", version.title, f"{address}/job-aid", job_aid
        yield version.briefing_title or "", version.title, f"{address}/briefing", briefing
    for guide in current_guides():
        yield guide.title, "Guide", f"/guides/{guide.activity.key}", guide.html


def find_fault(address: str, policy: OutboundPolicy) -> str | None:
    """Why the page at an address cannot be read, in a few words; None if it can."""
    try:
        status = read_status(address, policy)
    except OutboundError as error:
        return _FAULT_WORDS[error.fault]
    return f"The page answers {status}." if status >= GONE else None


def public_policy() -> OutboundPolicy:
    """Public addresses alone, through ``OUTBOUND_PROXY`` where it is set."""
    return OutboundPolicy(proxy=parse_proxy(current_settings().outbound_proxy))


def find_faults(
    addresses: Collection[str],
    policy: OutboundPolicy,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> dict[str, str | None]:
    """The fault of each of these addresses; None: none. Outside a transaction."""
    db.session.rollback()  # no reading transaction stays open while servers are slow
    faults: dict[str, str | None] = dict.fromkeys(addresses, UNEXPECTED)
    failures = ItemFailures("page")
    for number, address in enumerate(faults, 1):
        with failures.of(number):
            faults[address] = find_fault(address, policy)
        tell(number, len(faults))
    return faults


def save_checks(faults: dict[str, str | None], at: datetime) -> None:
    """Save how each address answered, in place of every earlier check."""
    broken = sum(fault is not None for fault in faults.values())
    log("links.checked", actor_id=None, pages=len(faults), broken=broken)
    db.session.execute(delete(LinkCheck))
    rows = [{"address": address, "checked_at": at, "fault": fault} for address, fault in faults.items()]
    if rows:
        db.session.execute(insert(LinkCheck), rows)


def list_broken_links() -> list[BrokenLink]:
    """The links of published texts whose page could not be read when it was checked last."""
    rows = db.session.execute(
        select(LinkCheck.address, LinkCheck.fault, LinkCheck.checked_at).where(LinkCheck.fault.is_not(None))
    )
    faults: dict[str, tuple[str, datetime]] = {address: (fault or "", at) for address, fault, at in rows}
    if not faults:
        return []
    return [BrokenLink(link, *faults[link.address]) for link in list_web_links() if link.address in faults]


def is_check_due(now: datetime) -> bool:
    """Whether links are to be checked by themselves now: where ``LINK_CHECK`` is on, once a week."""
    if current_settings().link_check != "on":
        return False
    last = last_check_at()
    return last is None or now - last >= EVERY


def run_check(job: JobProgress, _arguments: Arguments) -> dict[str, Any]:
    """Check every link, and save the result."""
    faults = find_faults(list_linked_addresses(), public_policy(), job.report_progress)
    with transaction():
        save_checks(faults, clock.now())
    return {
        "said": [f"{plural(len(faults), 'page')} asked, {plural(len(list_broken_links()), 'broken link')}."]
    }


def last_check_at() -> datetime | None:
    """When links were checked last; None if they never were, or no text has any."""
    at: datetime | None = db.session.scalar(select(LinkCheck.checked_at).limit(1))
    return at


TASKS = (
    Task(
        "catalogue.links",
        "Check of links to the web",
        run_check,
        due=lambda: is_check_due(clock.now()),
        rest=timedelta(days=1),
        low_priority=True,
    ),
)


# What is to be reviewed: modules, guides, event types, and sources that nobody looked at for long.

NEAR = timedelta(days=28)  # how long before its day a review is told of
STALE = timedelta(days=365)  # after which a source is to be looked at again

_REVIEWED: tuple[tuple[str, type[ModuleVersion | GuideVersion | EventTypeVersion]], ...] = (
    ("module", ModuleVersion),
    ("guide", GuideVersion),
    ("event", EventTypeVersion),
)


@dataclass(frozen=True, slots=True)
class DueReview:
    """A module, guide or event type whose review date is past or near."""

    kind: str  # as in Activity.kind
    key: str
    title: str
    owner: str
    review_on: date


@dataclass(frozen=True, slots=True)
class StaleSource:
    """A source that was checked long ago, and what rests on it."""

    source: SourceText
    questions: tuple[tuple[str, int], ...]  # of modules offered: title, and how many questions cite it


def list_due_reviews(day: date) -> list[DueReview]:
    """The newest versions to be reviewed by ``day`` or soon after, the earliest first.

    Archived modules are left out. Four statements.
    """
    archived = archived_activities()
    rows = [
        (row.activity_id, DueReview(kind, row.key, row.title, row.owner, row.review_on))
        for kind, versions in _REVIEWED
        for row in db.session.execute(_select_newest(versions))
    ]
    due = [each for activity_id, each in rows if activity_id not in archived and each.review_on <= day + NEAR]
    return sorted(due, key=lambda each: (each.review_on, each.title))


def _select_newest(versions: type[ModuleVersion | GuideVersion | EventTypeVersion]) -> Any:
    newest = (
        select(versions.activity_id, func.max(versions.number).label("number"))
        .group_by(versions.activity_id)
        .subquery()
    )
    return (
        select(versions.activity_id, Activity.key, versions.title, versions.owner, versions.review_on)
        .join(Activity, Activity.id == versions.activity_id)
        .join(
            newest,
            (newest.c.activity_id == versions.activity_id) & (newest.c.number == versions.number),
        )
    )


def list_stale_sources(day: date) -> list[StaleSource]:
    """The published sources that were last checked a year before ``day`` or earlier, the oldest first."""
    stale = [source for source in list_sources() if source.checked_on <= day - STALE]
    if not stale:
        return []
    modules = offered_modules()
    return [
        StaleSource(source, tuple(_questions_citing(source.number, modules)))
        for source in sorted(stale, key=lambda each: each.checked_on)
    ]


def _questions_citing(number: str, modules: Sequence[ModuleVersion]) -> list[tuple[str, int]]:
    counts = [
        (version.title, sum(number in item.source for item in version.items if not item.retired))
        for version in modules
    ]
    return [(title, count) for title, count in counts if count]
