"""The desk: what waits for a person with work to do for others, and the ways to all of that work."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from config import current_settings
from portal.domain.access_tokens import list_suspended
from portal.domain.accounts.account_list import LOCKED, NO_WAY, AccountFilters, AccountList
from portal.domain.accounts.grant_review import list_grants_to_review, list_proposals
from portal.domain.accounts.ways import current_rules
from portal.domain.authoring.reviews import drafts_waiting_for
from portal.domain.cases import count_unread_copies
from portal.domain.catalogue.upkeep import list_due_reviews
from portal.domain.catalogue.version_cache import shared_content
from portal.domain.decisions.queries import count_waiting_requests
from portal.domain.directives.queries import ComingVersion, list_coming_versions, list_unnamed_roles
from portal.domain.imports.queries import count_kept_runs, list_importable_kinds
from portal.domain.learning.my_learning import load_my_learning
from portal.domain.people.queries import read_workforce
from portal.domain.people.sight import units_allowing
from portal.domain.people.visibility import Viewer
from portal.domain.reminders import services
from portal.domain.reminders.models import Delivery
from portal.domain.reminders.queries import count_by_delivery
from portal.domain.reminders.sending import relay_is_set
from portal.domain.reports import sentences
from portal.domain.reports.overview import DirectiveLine, read_directive_lines
from portal.domain.reports.parameters import Position
from portal.domain.retention.queries import count_disposals
from portal.domain.retention.services import count_requests
from portal.feature import insert_after
from portal.pages.layout.access import requires, signed_in_account
from portal.pages.layout.navigation import Waiting, list_ways
from portal.pages.layout.report_position import at_position, position_form
from portal.pages.layout.sessions import cookies
from portal.platform import clock
from portal.platform.errors import listed_words
from portal.platform.jobs.models import JobState
from portal.platform.jobs.services import count_jobs
from portal.platform.permissions import Permission, Role
from portal.platform.wording import date as say_date
from portal.platform.wording import plural

# What waits for a person: each kind once, with a count and the list of as many rows.


@dataclass(frozen=True, slots=True)
class WaitingWork:
    """All that waits for a person."""

    kinds: tuple[Waiting, ...]
    empty_places: tuple[
        str, ...
    ]  # where something could wait, and nothing does: as the navigation names them

    @property
    def can_wait(self) -> bool:
        """Whether anything can ever wait for the person."""
        return bool(self.kinds or self.empty_places)


def read_waiting_work(viewer: Viewer) -> WaitingWork:
    """Count what waits for the viewer; the same statements, however many rows wait."""
    found = [
        (source.place, tuple(source.find(viewer)))
        for source in _list_sources()
        if source.permission in viewer.permissions
    ]
    full = {place for place, kinds in found if kinds}
    return WaitingWork(
        tuple(kind for _, kinds in found for kind in kinds),
        tuple(dict.fromkeys(place for place, kinds in found if place and not kinds and place not in full)),
    )


def _find_requests(viewer: Viewer) -> Iterator[Waiting]:
    if count := count_waiting_requests(viewer):
        yield Waiting(
            f"{plural(count, 'request waits', 'requests wait')} for you",
            plural(count, "request to decide", "requests to decide"),
            url_for("decisions.list_requests"),
            "Exemptions, deferrals, prior learning and corrections",
        )


def _find_drafts(viewer: Viewer) -> Iterator[Waiting]:
    if count := len(drafts_waiting_for(viewer.person_id)):
        yield Waiting(
            f"{plural(count, 'draft waits', 'drafts wait')} for you",
            plural(count, "draft to read and publish", "drafts to read and publish"),
            url_for("authoring.show_dashboard", drafts="waiting"),
            "Sent for review by others",
        )


def _find_reviews(_viewer: Viewer) -> Iterator[Waiting]:
    if count := len(list_due_reviews(clock.today())):
        yield Waiting(
            f"{plural(count, 'text')} {'is' if count == 1 else 'are'} to be reviewed",
            plural(count, "text to review", "texts to review"),
            url_for("authoring.list_reviews"),
            "Their review date is past or near",
        )


def _find_imports(viewer: Viewer) -> Iterator[Waiting]:
    kinds = list_importable_kinds(viewer)
    if count := count_kept_runs(kinds, clock.now()) if kinds else 0:
        yield Waiting(
            plural(count, "import is not finished", "imports are not finished"),
            plural(count, "import to finish or cancel", "imports to finish or cancel"),
            url_for("imports.list_imports", state="unfinished"),
            "Nothing of a file counts until it is applied",
        )


def _find_roles(viewer: Viewer) -> Iterator[Waiting]:
    if "roster" not in list_importable_kinds(viewer):
        return
    if count := len(list_unnamed_roles(clock.today())):
        yield Waiting(
            plural(count, "role is named by no directive", "roles are named by no directive"),
            plural(count, "role that no directive names", "roles that no directive names"),
            url_for("imports.list_unnamed_roles"),
            "People who have it may have nothing to complete. Perhaps it is mistyped",
        )


def _find_grants(viewer: Viewer) -> Iterator[Waiting]:
    force = read_workforce(clock.today())
    by_roster = cookies.current_settings().line_managers_see  # then nobody lacks a grant
    if count := 0 if by_roster else len(list_proposals(viewer, force)):
        yield Waiting(
            plural(count, "line manager has no grant", "line managers have no grant"),
            plural(count, "line manager without a grant", "line managers without a grant"),
            url_for("grants.propose_grants"),
            "Their roles do not let them see everyone they manage",
        )
    if count := len(list_grants_to_review(viewer, force)):
        yield Waiting(
            plural(count, "grant no longer fits a post", "grants no longer fit a post"),
            plural(count, "grant to look at again", "grants to look at again"),
            url_for("grants.review_grants"),
            "Somebody left or moved, or a unit ended",
        )


def _find_accounts(viewer: Viewer) -> Iterator[Waiting]:
    now, settings = clock.now(), cookies.current_settings()
    accounts = AccountList(viewer, current_rules(clock.london_day(now)), settings.secret_key, now)
    if count := accounts.count_matching(AccountFilters(state=LOCKED)):
        yield Waiting(
            plural(count, "account is locked", "accounts are locked"),
            plural(count, "locked account", "locked accounts"),
            url_for("people.show_accounts", state=LOCKED),
            "After several wrong passwords",
        )
    if count := accounts.count_matching(AccountFilters(way=NO_WAY)):
        yield Waiting(
            plural(count, "person cannot sign in", "people cannot sign in"),
            plural(count, "person without a way to sign in", "people without a way to sign in"),
            url_for("people.show_accounts", way=NO_WAY),
            "They have a post. Invite them, or print their invitations",
        )


def _find_suspended(viewer: Viewer) -> Iterator[Waiting]:
    units = units_allowing(viewer, Permission.TOKEN_ADMINISTER)
    if count := len(list_suspended(units, clock.now())):
        yield Waiting(
            plural(count, "access token is suspended", "access tokens are suspended"),
            plural(count, "access token to confirm or revoke", "access tokens to confirm or revoke"),
            url_for("tokens.list_tokens"),
            "The database was restored from a backup",
        )


def _find_jobs(viewer: Viewer) -> Iterator[Waiting]:
    sees_all = units_allowing(viewer, Permission.JOB_VIEW) is None
    if count := count_jobs(None if sees_all else viewer.person_id)[JobState.FAILED]:
        yield Waiting(
            plural(count, "job failed", "jobs failed"),
            plural(count, "failed job", "failed jobs"),
            url_for("jobs.list_jobs", state=JobState.FAILED.value),
            "Each says why, and can be run again",
        )


_LOST = {
    Delivery.REFUSED: "refused by the mail server",
    Delivery.FAILED: "given up after several tries",
    Delivery.BOUNCED: "sent, and came back",
}


def _find_messages(viewer: Viewer) -> Iterator[Waiting]:
    counts = count_by_delivery(viewer)
    for state, outcome in _LOST.items():
        if count := counts[state]:
            yield _messages(count, "did not arrive", outcome, state)
    if (count := counts[Delivery.WAITING]) and not relay_is_set():
        yield _messages(count, "cannot be sent", "waiting: email is not set up", Delivery.WAITING)


def _messages(count: int, fate: str, outcome: str, state: Delivery) -> Waiting:
    emails, href = plural(count, "email"), url_for("reminders.show_outbox", state=state.value)
    return Waiting(f"{emails} {fate}", f"{emails} {outcome}", href, "Reminders, invitations and notices")


def _find_details(_viewer: Viewer) -> Iterator[Waiting]:
    if count := len(shared_content().unset_settings):
        yield Waiting(
            f"{plural(count, 'detail')} of your force {'is' if count == 1 else 'are'} not set",
            plural(count, "detail to enter", "details to enter"),
            url_for("guides.edit_force_settings"),
            "Learners do not see the sentences that need them",
        )


def _find_copies(viewer: Viewer) -> Iterator[Waiting]:
    if count := count_unread_copies(viewer.person_id):
        yield Waiting(
            f"{plural(count, 'text is', 'texts are')} shown to you",
            plural(count, "text to look through", "texts to look through"),
            url_for("learning.list_copies"),
            "From an exercise, by somebody who agreed that you alone read it",
        )


def _find_retention(viewer: Viewer) -> Iterator[Waiting]:
    if count := count_disposals(waiting_for=viewer.person_id):
        yield Waiting(
            f"{plural(count, 'disposal waits', 'disposals wait')} for your approval",
            plural(count, "disposal to approve or refuse", "disposals to approve or refuse"),
            url_for("retention.list_disposals", state="waiting"),
            "Data whose period is over. Somebody else asked",
        )
    if count := count_requests(is_open=True):
        yield Waiting(
            f"{plural(count, 'request about data waits', 'requests about data wait')} for an answer",
            plural(count, "request about data to answer", "requests about data to answer"),
            url_for("retention.list_requests", state="open"),
            "To correct or erase data, each within a month",
        )


@dataclass(frozen=True, slots=True)
class _Source:
    """One source of what waits, for whoever holds a permission."""

    name: str
    permission: Permission
    place: str  # as the navigation names it; empty: no page of its own where all is done
    find: Callable[[Viewer], Iterator[Waiting]]


_CORE_SOURCES = (
    _Source("requests", Permission.DECISION_MAKE, "Requests", _find_requests),
    _Source("drafts", Permission.VERSION_PUBLISH, "Authoring", _find_drafts),
    _Source("reviews", Permission.DRAFT_EDIT, "Authoring", _find_reviews),
    _Source("imports", Permission.RECORD_IMPORT, "Imports", _find_imports),
    _Source("unnamed roles", Permission.ROSTER_IMPORT, "Imports", _find_roles),
    _Source("grants", Permission.ACCOUNT_ADMINISTER, "Roles", _find_grants),
    _Source("accounts", Permission.ACCOUNT_ADMINISTER, "Accounts", _find_accounts),
    _Source("suspended tokens", Permission.TOKEN_ADMINISTER, "", _find_suspended),  # after a restore alone
    _Source("jobs", Permission.JOB_VIEW, "Jobs", _find_jobs),
    _Source("messages", Permission.REMINDER_VIEW, "Reminders", _find_messages),
    _Source("retention", Permission.RETENTION_MANAGE, "Retention", _find_retention),
    _Source("force details", Permission.FORCE_SET, "Force details", _find_details),
    _Source("texts shown", Permission.LEARN, "", _find_copies),  # whoever was named, with or without a role
)


def _list_sources() -> list[_Source]:
    """The sources of the core and of the features that are on."""
    additions = [
        (
            source.after,
            _Source(source.name, Permission(source.permission), source.place, feature.load(source.find)),
        )
        for feature in current_settings().features_on
        for source in feature.desk
    ]
    return insert_after(_CORE_SOURCES, additions, lambda source: source.name)


bp = Blueprint("desk", __name__, template_folder="templates")

MOST_DIRECTIVES = 5
NEAR = timedelta(days=30)
# Whose work is with directives; an administrator finds them under Monitoring.
_WITH_DIRECTIVES = frozenset({Role.MANAGER, Role.DIRECTIVE_OWNER, Role.AUDITOR})


@bp.get("/desk")
@requires(Permission.ACCOUNT_OWN)
@at_position({"text": "Your desk", "href": "/desk"})
def show_desk(position: Position) -> ResponseReturnValue:
    """Show what waits for the person, their directives and dates, and the ways to their work."""
    me = signed_in_account()
    work, today = read_waiting_work(me.viewer), clock.today()
    with_directives = _works_with_directives(me.viewer)
    lines = read_directive_lines(me.viewer, position) if with_directives else []
    chooses_date = Role.AUDITOR in me.viewer.roles
    return render_template(
        "desk/desk.html",
        heading=_heading(work, position if with_directives else None),
        waiting=work.kinds,
        nothing_in=listed_words(work.empty_places) if work.empty_places else "",
        lines=lines[:MOST_DIRECTIVES],
        directive_count=len(lines),
        position=position,
        known_on=sentences.known_on_words(position) if with_directives else "",
        today=today,
        banner=sentences.banner_sentence(position),
        position_form=position_form(position) if chooses_date else None,
        dates=_list_near_dates(me.viewer, lines, today),
        learning=load_my_learning(me.person_id, clock.now()) if Permission.LEARN in me.permissions else None,
        may_remind=Permission.REMINDER_NUDGE in me.permissions and not position.past,
        most_to_remind=services.MOST,
        groups=list_ways(me.permissions),
    )


def _works_with_directives(viewer: Viewer) -> bool:
    return viewer.line_manager or bool(viewer.roles & _WITH_DIRECTIVES)


def _heading(work: WaitingWork, position: Position | None) -> str:
    if len(work.kinds) > 1:
        return "Several things need a look"  # a number of kinds would be taken for one of things
    if work.kinds:
        return work.kinds[0].sentence
    if work.can_wait or position is None:
        return "Nothing waits for you"
    return f"Position on {say_date(position.as_at)}"


def _list_near_dates(viewer: Viewer, lines: list[DirectiveLine], today: date) -> list[tuple[date, str, str]]:
    """The days of the next thirty on which a directive is due or changes: day, reference and what happens."""
    if Permission.DIRECTIVE_ISSUE not in viewer.permissions:
        return []
    until = today + NEAR
    due = [
        (line.directive.due_fixed_on, line.directive.reference, "Due date")
        for line in lines
        if line.directive.due_fixed_on and today <= line.directive.due_fixed_on <= until
    ]
    changes = [
        (version.effective_on, version.reference, _change_words(version))
        for version in list_coming_versions(today, until)
    ]
    return sorted([*due, *changes])[:MOST_DIRECTIVES]


def _change_words(version: ComingVersion) -> str:
    return "Withdrawn from this day" if version.withdraws else f"Version {version.number} takes effect"
