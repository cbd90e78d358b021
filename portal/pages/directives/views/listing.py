"""What directives say: the list, one of them, and one version as its file."""

from datetime import date

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.directives import descriptions, queries
from portal.domain.directives.queries import DirectiveTold, VersionTold
from portal.domain.directives.scope import within_reach
from portal.domain.directives.toml_writer import to_toml
from portal.domain.people.queries import visibility_of
from portal.domain.status.reach import NOBODY, count_reach
from portal.pages.directives.views.blueprint import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date


@bp.get("")
@requires(Permission.DIRECTIVE_VIEW)
def list_directives() -> ResponseReturnValue:
    """Every directive: whether it is in force, whom it reaches, what comes next."""
    today = clock.today()
    reached = count_reach(current_user.viewer, today)
    rows = [(told, told.shown(today), reached.get(told.id, NOBODY)) for told in queries.directives()]
    return render_template(
        "directives/index.html",
        rows=rows,
        in_force=sum(state_on_day(told, today) == "in force" for told, _, _ in rows),
        validity=lambda told: in_words(told, today),
        next_change=lambda told: next_change(told, today),
        may_issue=may_issue(),
        everyone=visibility_of(current_user.viewer).everyone,
    )


@bp.get("/<reference>")
@requires(Permission.DIRECTIVE_VIEW)
def show_directive(reference: str) -> ResponseReturnValue:
    """One directive as it stands today, in words, with every version."""
    told, today = queries.directive(reference), clock.today()
    titles = queries.titles()
    shown = told.shown(today)
    return render_template(
        "directives/directive.html",
        told=told,
        shown=shown,
        rows=rows_of(shown, titles),
        reach=count_reach(current_user.viewer, today).get(told.id, NOBODY),
        in_words=in_words(told, today),
        next_change=next_change(told, today),
        versions=[(v, version_changes(told, v, titles)) for v in reversed(told.versions)],
        taken_back=queries.taken_back(told.id),
        today=today,
        may_issue=may_issue(),
        may_withdraw=may_issue() and told.id in within_reach(current_user.viewer, [told.id]),
        everyone=visibility_of(current_user.viewer).everyone,
    )


@bp.get("/<reference>/versions/<int:number>")
@requires(Permission.DIRECTIVE_VIEW)
def show_version(reference: str, number: int) -> ResponseReturnValue:
    """One version, in words or, with ``?as=toml``, as its file."""
    told, titles = queries.directive(reference), queries.titles()
    found = next((each for each in told.versions if each.number == number), None)
    if found is None:
        raise NotFoundError(f"{reference} has no version {number}.")
    if request.args.get("as") == "toml":
        return _version_file(found)
    return render_template(
        "directives/version.html",
        told=told,
        shown=found,
        rows=rows_of(found, titles),
        changes=version_changes(told, found, titles),
    )


def _version_file(version: VersionTold) -> Response:
    response = Response(to_toml(version.file), content_type="application/toml; charset=utf-8")
    name = f"{version.file.reference}-{version.number}.toml"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def may_issue() -> bool:
    """Whether the signed-in person may issue directives."""
    return Permission.DIRECTIVE_ISSUE in current_user.permissions


def rows_of(version: VersionTold, titles: dict[tuple[str, str], str]) -> list[tuple[str, str]]:
    """A version in words, as pairs of a name and what it says."""
    file = version.file
    return [
        ("Who", descriptions.audience(file)),
        ("To complete", "\n".join(descriptions.requirements(file, titles))),
        ("Due", descriptions.due(file)),
        ("Validity", descriptions.validity(file)),
        ("Notices", descriptions.notices(file)),
        ("Target", descriptions.target(file.target)),
        ("Owner", version.owner or "Nobody named"),
        ("Recommendation", file.source),
        ("Exact wording", file.wording),
    ]


def version_changes(
    told: DirectiveTold, version: VersionTold, titles: dict[tuple[str, str], str]
) -> list[str]:
    """What a version changed, a sentence each."""
    before = told.before(version)
    return descriptions.changes(before.file if before else None, version.file, titles)


def state_on_day(told: DirectiveTold, day: date) -> str:
    """Whether it is in force on ``day``, withdrawn, or to come."""
    held = told.on(day)
    if held is None:
        return "to come"
    return "withdrawn" if held.file.withdrawn else "in force"


def in_words(told: DirectiveTold, day: date) -> str:
    """Since when it is in force or withdrawn, or from when it will be in force."""
    since = told.since(day)
    if since is None:
        return f"In force from {say_date(told.first_day)}"
    return f"{state_on_day(told, day).capitalize()} since {say_date(since)}"


def next_change(told: DirectiveTold, day: date) -> str:
    """What takes effect next after ``day``; empty where nothing is planned."""
    ahead = told.next_after(day)
    if ahead is None:
        return ""
    what = "Withdrawn" if ahead.file.withdrawn else f"Version {ahead.number}"
    return f"{what} from {say_date(ahead.effective_on)}"
