"""Pages of the list of directives, one directive, and one version, which is also a file."""

from datetime import date

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.directives import descriptions, queries
from portal.domain.directives.queries import DirectiveDetails, VersionDetails
from portal.domain.directives.scope import directives_within_own_units
from portal.domain.directives.toml_writer import to_toml
from portal.domain.people.queries import visibility_of
from portal.domain.status.queries import NOBODY, count_reach
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date
from portal.platform.wording import percent_exact

bp = Blueprint("directives", __name__, url_prefix="/directives", template_folder="../templates")


@bp.get("")
@requires(Permission.DIRECTIVE_VIEW)
def list_directives() -> ResponseReturnValue:
    """Every directive: whether it is in force, how many people it applies to, and what changes next."""
    today = clock.today()
    reach = count_reach(current_user.viewer, today)
    rows = [
        (directive, directive.shown_version(today), reach.get(directive.id, NOBODY))
        for directive in queries.list_directives()
    ]
    return render_template(
        "directives/index.html",
        rows=rows,
        in_force=sum(state_on_day(directive, today) == "in force" for directive, _, _ in rows),
        state=lambda directive: describe_state(directive, today),
        next_change=lambda directive: describe_next_change(directive, today),
        may_issue=may_issue(),
        everyone=visibility_of(current_user.viewer).everyone,
    )


@bp.get("/<reference>")
@requires(Permission.DIRECTIVE_VIEW)
def show_directive(reference: str) -> ResponseReturnValue:
    """One directive as it is today, in words, with every version."""
    directive, today = queries.get_directive(reference), clock.today()
    titles = queries.published_titles()
    shown = directive.shown_version(today)
    return render_template(
        "directives/directive.html",
        directive=directive,
        shown=shown,
        rows=version_rows(directive, shown, titles),
        reach=count_reach(current_user.viewer, today).get(directive.id, NOBODY),
        state=describe_state(directive, today),
        next_change=describe_next_change(directive, today),
        versions=[(v, version_changes(directive, v, titles)) for v in reversed(directive.versions)],
        withdrawn_versions=queries.list_withdrawn_versions(directive.id),
        today=today,
        may_issue=may_issue(),
        may_withdraw=may_issue()
        and directive.id in directives_within_own_units(current_user.viewer, [directive.id]),
        everyone=visibility_of(current_user.viewer).everyone,
    )


@bp.get("/<reference>/versions/<int:number>")
@requires(Permission.DIRECTIVE_VIEW)
def show_version(reference: str, number: int) -> ResponseReturnValue:
    """One version, in words or, with ``?as=toml``, as its file."""
    directive, titles = queries.get_directive(reference), queries.published_titles()
    version = next((each for each in directive.versions if each.number == number), None)
    if version is None:
        raise NotFoundError(f"{reference} has no version {number}.")
    if request.args.get("as") == "toml":
        return _version_file(version)
    return render_template(
        "directives/version.html",
        directive=directive,
        shown=version,
        rows=version_rows(directive, version, titles),
        changes=version_changes(directive, version, titles),
    )


def _version_file(version: VersionDetails) -> Response:
    response = Response(to_toml(version.file), content_type="application/toml; charset=utf-8")
    name = f"{version.file.reference}-{version.number}.toml"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def may_issue() -> bool:
    """Whether the signed-in person may issue directives."""
    return Permission.DIRECTIVE_ISSUE in current_user.permissions


def version_rows(
    directive: DirectiveDetails, version: VersionDetails, titles: dict[tuple[str, str], str]
) -> list[tuple[str, str]]:
    """A version in words, as pairs of a label and its text; a changed due date with the one before it."""
    was_due = _due_before(directive, version)
    file = version.file
    return [
        ("Who", descriptions.describe_audience(file)),
        ("To complete", "\n".join(descriptions.requirement_titles(file, titles))),
        (
            "Due",
            descriptions.describe_due_date(file)
            + (f"\nBefore this version: {_within_sentence(was_due)}." if was_due else ""),
        ),
        ("Validity", descriptions.describe_validity(file)),
        ("Notices", descriptions.describe_notices(file)),
        ("Target", percent_exact(file.target)),
        ("Owner", version.owner or "Nobody"),
        ("Recommendation", file.source),
        ("Exact wording", file.wording),
    ]


def _due_before(directive: DirectiveDetails, version: VersionDetails) -> str:
    """The due date of the version before, as one sentence; empty where it is the same or there is none."""
    previous = directive.version_before(version)
    due = descriptions.describe_due_date(previous.file) if previous else ""
    return "" if due == descriptions.describe_due_date(version.file) else due


def version_changes(
    directive: DirectiveDetails, version: VersionDetails, titles: dict[tuple[str, str], str]
) -> list[str]:
    """What a version changed from the one before it, a sentence each."""
    previous = directive.version_before(version)
    return descriptions.list_changes(previous.file if previous else None, version.file, titles)


def state_on_day(directive: DirectiveDetails, day: date) -> str:
    """Whether the directive is in force or withdrawn on ``day``, or still to come."""
    version = directive.version_on(day)
    if version is None:
        return "to come"
    return "withdrawn" if version.file.withdrawn else "in force"


def describe_state(directive: DirectiveDetails, day: date) -> str:
    """The state of the directive on ``day``, and since when; or from when it will be in force."""
    since = directive.in_this_state_since(day)
    if since is None:
        return f"In force from {say_date(directive.first_day)}"
    return f"{state_on_day(directive, day).capitalize()} since {say_date(since)}"


def describe_next_change(directive: DirectiveDetails, day: date) -> str:
    """What takes effect next after ``day``, with a changed due date; empty if nothing is planned."""
    version = directive.next_version_after(day)
    if version is None:
        return ""
    from_day = f"from {say_date(version.effective_on)}"
    if version.file.withdrawn:
        return f"Withdrawn {from_day}"
    change, was_due = f"Version {version.number} {from_day}", _due_before(directive, version)
    if not was_due:
        return change
    due = descriptions.describe_due_date(version.file)
    return f"{change}. New due date: {_within_sentence(due)} (until then: {_within_sentence(was_due)})"


def _within_sentence(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")
