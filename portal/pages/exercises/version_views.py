"""Pages of exercises' versions: the list, reading one, proposing another by ZIP, and deciding on it."""

from io import BytesIO
from typing import Any

from flask import Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.catalogue.sources.validation import sha256_of
from portal.domain.exercises.sources.archive import MOST_ARCHIVE_BYTES, open_exercise, pack_exercise
from portal.domain.exercises.sources.brief import check_exercise_brief
from portal.domain.exercises.versions import proposals, publishing, queries
from portal.domain.exercises.versions.proposals import ProposedExercise
from portal.pages.exercises.blueprint import bp
from portal.pages.exercises.version_forms import ExerciseProposalForm, ReturnExerciseForm
from portal.pages.exercises.version_presenters import fill_content, list_changed_files
from portal.pages.layout.access import requires
from portal.pages.layout.media_response import serve_medium
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, ConflictError, NotFoundError, RuleError
from portal.platform.permissions import Permission

ENVELOPE = 64 * 1024  # bytes of a form around its file


@bp.url_value_preprocessor
def _allow_larger_archives(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a ZIP be larger than other requests; runs before the form is read."""
    if endpoint == "exercises.propose_version":
        request.max_content_length = MOST_ARCHIVE_BYTES + ENVELOPE


@bp.get("/exercises/versions")
@requires(Permission.EXERCISE_READ)
def list_versions() -> ResponseReturnValue:
    """List the newest version of each exercise, and the proposals that wait."""
    return render_template(
        "exercises/versions.html",
        versions=queries.list_newest_versions(),
        waiting=proposals.list_open_proposals(),
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
                proposal_id = proposals.propose_exercise(
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
@requires(Permission.EXERCISE_READ)
def show_version(key: str, number: int) -> ResponseReturnValue:
    """Read one version as facilitators do: every inject with its notes."""
    version = queries.numbered_version(key, number)
    return render_template(
        "exercises/version.html",
        key=key,
        version=version,
        content=fill_content(version.content),
        versions=queries.list_versions(key),
    )


@bp.get("/exercises/versions/<key>/<int:number>.zip")
@requires(Permission.EXERCISE_READ)
def download_version(key: str, number: int) -> Response:
    """Download the folder of one version as a ZIP, to change it and propose it again."""
    version = queries.numbered_version(key, number)
    content = pack_exercise(key, queries.version_files(version.id))
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
    proposal = proposals.get_proposal(proposal_id)
    key, files = open_exercise(proposals.proposal_archive(proposal_id))
    reading = publishing.check_exercise_files(
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
    current = queries.newest_version(key)
    published = queries.version_files(current.id) if current else {}
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
    _, files = open_exercise(proposals.proposal_archive(proposal_id))
    content = files.get(f"media/{name}")
    if content is None or sha256_of(content) != sha256:
        raise NotFoundError("There is no such file.")
    return serve_medium(content, name, sha256)


@bp.post("/exercises/versions/_proposals/<int:proposal_id>/publish")
@requires(Permission.VERSION_PUBLISH)
def publish_proposal(proposal_id: int) -> ResponseReturnValue:
    """Publish exactly what was proposed."""
    with transaction():
        key, number = proposals.publish_proposal(proposal_id, by=current_user.person_id, at=clock.now())
    flash(f"Version {number} is published. It can be run from now on.", "success")
    return redirect(url_for(".show_version", key=key, number=number), 303)


@bp.route("/exercises/versions/_proposals/<int:proposal_id>/send-back", methods=["GET", "POST"])
@requires(Permission.VERSION_PUBLISH)
def send_proposal_back(proposal_id: int) -> ResponseReturnValue:
    """Ask what must change, and end the proposal without publishing."""
    proposal = proposals.get_proposal(proposal_id)
    form = ReturnExerciseForm()
    if form.validate_on_submit():
        with transaction():
            proposals.send_proposal_back(
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
        proposals.withdraw_proposal(proposal_id, by=current_user.person_id, at=clock.now())
    flash("Withdrawn. You can send the exercise again.", "success")
    return redirect(url_for(".list_versions"), 303)


@bp.get("/exercises/media/<sha256>/<name>")
@requires(Permission.ACCOUNT_OWN)
def send_medium(sha256: str, name: str) -> ResponseReturnValue:
    """Send a media file of a published exercise; also to a facilitator without a post."""
    return serve_medium(queries.exercise_medium(sha256, name), name, sha256)


def _rights_on(proposal: ProposedExercise) -> dict[str, bool]:
    is_own = proposal.proposed_by_id == current_user.person_id
    may_publish = Permission.VERSION_PUBLISH in current_user.permissions
    return {
        "is_open": proposal.ended_at is None,
        "is_own": is_own,
        "may_publish": may_publish and not is_own,
        "is_own_publisher": may_publish and is_own,
    }
