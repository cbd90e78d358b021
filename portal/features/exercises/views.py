"""Pages of exercises: the list of runs, and opening one; other files add the rooms' screens."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from flask import Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring.texts import diff_lines
from portal.domain.catalogue import version_cache
from portal.domain.catalogue.lesson_html import fill_placeholders
from portal.domain.catalogue.module_check import sha256_of
from portal.features.exercises import plenary_views, run_views, versions
from portal.features.exercises.checks import check_exercise_brief
from portal.features.exercises.feature import READ, RUN
from portal.features.exercises.run_views import bp
from portal.features.exercises.runs import RunRequest, list_events_to_run, list_runs, open_run
from portal.features.exercises.sources import MEBIBYTE, MOST_ARCHIVE_BYTES, open_exercise, pack_exercise
from portal.features.exercises.versions import ProposedExercise, list_newest_versions
from portal.pages.layout.access import requires
from portal.pages.layout.fields import button, file_to_send, text_lines
from portal.pages.layout.forms import (
    PortalForm,
    clean_text,
    read_whole_number,
)
from portal.pages.layout.pdf_files import serve_medium
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, ConflictError, NotFoundError, RuleError
from portal.platform.permissions import Permission

# Pages of exercises' versions: the list, reading one, proposing another by ZIP, and deciding on it.

# Forms to propose a version of an exercise, and to decide on a proposal.

LABEL = "govuk-label--s"
LONGEST = 2000


class ExerciseProposalForm(PortalForm):
    """A folder as a ZIP, and why."""

    file = file_to_send(
        "The exercise's folder as a ZIP",
        "One folder, whose name is the exercise's key, with exercise.toml, briefing.md,"
        " facilitator.md, debrief.md, injects and media."
        f" Up to {MOST_ARCHIVE_BYTES // MEBIBYTE} MB.",
        required="Choose a ZIP",
        bold=True,
        accept=".zip",
    )
    note = text_lines(
        "What you changed, and why",
        "Whoever publishes it reads this first. Name the source where the law or a number changed.",
        required="Say what you changed, and why",
        most=LONGEST,
        bold=True,
        rows=4,
    )
    send = button("Check it and send it")


class ReturnExerciseForm(PortalForm):
    """Ends a proposal without publishing."""

    reason = text_lines(
        "What must change before it can be published",
        "The author sees this.",
        required="Say what must change before it can be published",
        most=LONGEST,
        bold=True,
        rows=4,
    )
    send = button("Send back")


# What pages show of an exercise: its texts with slots filled, and what a proposal changes in each file.

TEXT_ENDINGS = (".md", ".toml", ".vtt", ".svg")
MOST_SHOWN_LINES = 400  # of one file: more would not be read on a page


@dataclass(frozen=True, slots=True)
class ChangedLines:
    """Lines of a file that were taken out, and those in their place."""

    line: int  # in the new file, or where they were
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that a proposal adds, changes or takes out."""

    path: str
    words: str  # what becomes of it
    lines: tuple[ChangedLines, ...] = ()
    is_cut: bool = False  # whether more lines changed than are shown


def fill_content(content: Mapping[str, Any]) -> dict[str, Any]:
    """An exercise's content with slots filled; a detail that the force has not set is named in brackets.

    Args:
        content: As ``ExerciseVersion.content`` has it.
    """
    shared = version_cache.shared_key()

    def fill_html(html: str) -> str:
        return fill_placeholders(html, shared, names_unset=True)

    def fill_values(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                key: fill_html(each) if key.endswith("html") and isinstance(each, str) else fill_values(each)
                for key, each in value.items()
            }
        return [fill_values(item) for item in value] if isinstance(value, list) else value

    filled: dict[str, Any] = fill_values(content)
    return filled


def list_changed_files(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> list[ChangedFile]:
    """Every file that differs, by path; texts with their changed lines."""
    return list(_compare_files(old, new))


def _compare_files(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Iterator[ChangedFile]:
    for path in sorted({*old, *new}):
        if path not in new:
            yield ChangedFile(path, "Taken out")
        elif path not in old:
            yield ChangedFile(path, "New")
        elif old[path] != new[path]:
            yield _compare_texts(path, old[path], new[path])


def _compare_texts(path: str, old: bytes, new: bytes) -> ChangedFile:
    if not path.endswith(TEXT_ENDINGS):
        return ChangedFile(path, "Changed")
    old_lines, new_lines = (content.decode("utf-8", "replace").split("\n") for content in (old, new))
    shown_lines, count = [], 0
    for change in diff_lines(old_lines, new_lines):
        count += change.end - change.start + change.new_end - change.new_start
        if count > MOST_SHOWN_LINES:
            break
        removed = "\n".join(old_lines[change.start : change.end])
        added = "\n".join(new_lines[change.new_start : change.new_end])
        shown_lines.append(ChangedLines(change.new_start + 1, removed, added))
    return ChangedFile(path, "Changed", tuple(shown_lines), count > MOST_SHOWN_LINES)


ENVELOPE = 64 * 1024  # bytes of a form around its file


@bp.url_value_preprocessor
def _allow_larger_archives(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a ZIP be larger than other requests; runs before the form is read."""
    if endpoint == "exercises.propose_version":
        request.max_content_length = MOST_ARCHIVE_BYTES + ENVELOPE


@bp.get("/exercises/versions")
@requires(READ)
def list_versions() -> ResponseReturnValue:
    """List the newest version of each exercise, and the proposals that wait."""
    return render_template(
        "exercises/versions.html",
        versions=versions.list_newest_versions(),
        waiting=versions.list_open_proposals(),
        may_propose=Permission.DRAFT_EDIT in current_user.permissions,
    )


@bp.route("/exercises/versions/_propose", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def propose_version() -> ResponseReturnValue:
    """Send a folder as a ZIP for the next version; what is wrong with it is listed, and nothing is kept."""
    form = ExerciseProposalForm()
    reasons: list[str] = []
    if form.validate_on_submit():
        try:
            with transaction():
                proposal_id = versions.propose_exercise(
                    form.file.data.read(), note=form.note.data, by=current_user.person_id, at=clock.now()
                )
            flash("Sent. A publisher who did not send it can publish it now.", "success")
            return redirect(url_for(".show_proposal", proposal_id=proposal_id), 303)
        except BadInputError as error:
            reasons = error.reasons
            form.file.errors = ["The exercise was not sent: put right what is listed below"]
        except (RuleError, ConflictError) as error:
            form.file.errors = [str(error)]
    page = render_template("exercises/propose.html", form=form, reasons=reasons)
    return page, 400 if form.errors else 200


@bp.get("/exercises/versions/<key>/<int:number>")
@requires(READ)
def show_version(key: str, number: int) -> ResponseReturnValue:
    """Read one version as facilitators do: every inject with its notes."""
    version = versions.numbered_version(key, number)
    return render_template(
        "exercises/version.html",
        key=key,
        version=version,
        content=fill_content(version.content),
        versions=versions.list_versions(key),
    )


@bp.get("/exercises/versions/<key>/<int:number>.zip")
@requires(READ)
def download_version(key: str, number: int) -> Response:
    """Download the folder of one version as a ZIP, to change it and propose it again."""
    version = versions.numbered_version(key, number)
    content = pack_exercise(key, versions.version_files(version.id))
    return send_file(
        BytesIO(content),
        "application/zip",
        as_attachment=True,
        download_name=f"{key}-{number}.zip",
        etag=False,
    )


@bp.get("/exercises/versions/_proposals/<int:proposal_id>")
@requires(Permission.AUTHORING_VIEW)
def show_proposal(proposal_id: int) -> ResponseReturnValue:
    """Read a proposal: what changes, what the check says, the whole text, and the ways to decide."""
    proposal = versions.get_proposal(proposal_id)
    key, files = open_exercise(versions.proposal_archive(proposal_id))
    reading = versions.check_exercise_files(
        key,
        files,
        address=lambda sha256, path: url_for(
            ".show_proposed_medium",
            proposal_id=proposal_id,
            sha256=sha256,
            name=path.removeprefix("media/"),
        ),
    )
    checked = reading.exercises[0] if reading.exercises else None
    current = versions.newest_version(key)
    published = versions.version_files(current.id) if current else {}
    return render_template(
        "exercises/proposal.html",
        proposal=proposal,
        checked=checked,
        content=fill_content(checked.content) if checked else None,
        faults=reading.faults.sentences(),
        breaches=check_exercise_brief(checked, clock.today()) if checked and not len(reading.faults) else [],
        changes=list_changed_files(published, files) if current else [],
        current=current,
        **_rights_on(proposal),
    )


@bp.get("/exercises/versions/_proposals/<int:proposal_id>/media/<sha256>/<name>")
@requires(Permission.AUTHORING_VIEW)
def show_proposed_medium(proposal_id: int, sha256: str, name: str) -> ResponseReturnValue:
    """Send a media file of a proposal."""
    _, files = open_exercise(versions.proposal_archive(proposal_id))
    content = files.get(f"media/{name}")
    if content is None or sha256_of(content) != sha256:
        raise NotFoundError("There is no such file.")
    return serve_medium(content, name, sha256)


@bp.post("/exercises/versions/_proposals/<int:proposal_id>/publish")
@requires(Permission.VERSION_PUBLISH)
def publish_proposal(proposal_id: int) -> ResponseReturnValue:
    """Publish exactly what was proposed."""
    with transaction():
        key, number = versions.publish_proposal(proposal_id, by=current_user.person_id, at=clock.now())
    flash(f"Version {number} is published. It can be run from now on.", "success")
    return redirect(url_for(".show_version", key=key, number=number), 303)


@bp.route("/exercises/versions/_proposals/<int:proposal_id>/send-back", methods=["GET", "POST"])
@requires(Permission.VERSION_PUBLISH)
def send_proposal_back(proposal_id: int) -> ResponseReturnValue:
    """Ask what must change, and end the proposal without publishing."""
    proposal = versions.get_proposal(proposal_id)
    form = ReturnExerciseForm()
    if form.validate_on_submit():
        with transaction():
            versions.send_proposal_back(
                proposal_id, reason=form.reason.data.strip(), by=current_user.person_id, at=clock.now()
            )
        flash("Sent back. The author sees why, and can send it again.", "success")
        return redirect(url_for(".show_proposal", proposal_id=proposal_id), 303)
    page = render_template("exercises/send_back.html", form=form, proposal=proposal)
    return page, 400 if form.errors else 200


@bp.post("/exercises/versions/_proposals/<int:proposal_id>/withdraw")
@requires(Permission.DRAFT_EDIT)
def withdraw_proposal(proposal_id: int) -> ResponseReturnValue:
    """End one's own proposal."""
    with transaction():
        versions.withdraw_proposal(proposal_id, by=current_user.person_id, at=clock.now())
    flash("Withdrawn. You can send the exercise again.", "success")
    return redirect(url_for(".list_versions"), 303)


@bp.get("/exercises/media/<sha256>/<name>")
@requires(Permission.ACCOUNT_OWN)
def send_medium(sha256: str, name: str) -> ResponseReturnValue:
    """Send a media file of a published exercise; also to a facilitator without a post."""
    return serve_medium(versions.exercise_medium(sha256, name), name, sha256)


def _rights_on(proposal: ProposedExercise) -> dict[str, bool]:
    is_own = proposal.proposed_by_id == current_user.person_id
    may_publish = Permission.VERSION_PUBLISH in current_user.permissions
    return {
        "is_open": proposal.ended_at is None,
        "is_own": is_own,
        "may_publish": may_publish and not is_own,
        "is_own_publisher": may_publish and is_own,
    }


__all__ = ["bp", "plenary_views", "run_views"]
run_views.add_run_pages()


@bp.get("/exercises")
@requires(Permission.LEARN)
def list_exercise_runs() -> ResponseReturnValue:
    """List the runs that the person may open, and what they may begin."""
    return _show_list()


@bp.post("/exercises")
@requires(Permission.LEARN)
def begin_run() -> ResponseReturnValue:
    """Open a run, and lead to its first page."""
    form, viewer = request.form, current_user.viewer
    requested = RunRequest(
        clean_text(form.get("exercise", "")),
        form.get("kind", ""),
        clean_text(form.get("event", "")),
        read_whole_number(form.get("syndicates", "")) or 0,
    )
    try:
        with transaction():
            reference = open_run(viewer, requested, clock.now())
    except RuleError as error:
        return _show_list(str(error))
    if requested.kind == "table_top":
        return redirect(url_for(".show_syndicate", reference=reference, syndicate=1), 303)
    return redirect(url_for(".show_control", reference=reference), 303)


def _show_list(error: str = "") -> ResponseReturnValue:
    now = clock.now()
    facilitates = RUN in current_user.permissions
    return render_template(
        "exercises/index.html",
        runs=list_runs(current_user.viewer, now),
        offers=list_newest_versions(),
        events=list_events_to_run(clock.london_day(now)) if facilitates else [],
        facilitates=facilitates,
        error=error,
    )
