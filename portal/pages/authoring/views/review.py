"""Reviews of drafts: sending, reading the changes, commenting, sending back and publishing."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import queries
from portal.domain.authoring.content_types import subject_of
from portal.domain.authoring.editing.content_diff import PlaceChange, count_changes, diff_folders
from portal.domain.authoring.findings import collect as finder
from portal.domain.authoring.queries import DraftState
from portal.domain.authoring.reviews import queries as review_queries
from portal.domain.authoring.reviews import services
from portal.domain.authoring.reviews.queries import ReviewState
from portal.domain.authoring.reviews.scheduling import latest_schedule
from portal.domain.catalogue import queries as catalogue
from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.sources.validation import sha256_of
from portal.pages.authoring.forms.review import CommentForm, SendBackForm, SendForm
from portal.pages.authoring.views import draft_context
from portal.pages.authoring.views.blueprint import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission


@bp.route("/<draft:key>/review/send", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def send_for_review(key: str) -> ResponseReturnValue:
    """Ask what was changed and send the draft; if it is not ready, say why."""
    state = queries.get_draft(key)
    if state.review:
        return redirect(url_for(".show_review", key=key), 303)
    obstacles = services.list_obstacles(state)
    form = SendForm(data={"expected": str(state.number)})
    if request.method == "POST" and form.expected.data != str(state.number):
        form.expected.data = str(state.number)
        form.form_errors.append("Someone saved in this draft after you opened the page. Look at it again.")
    elif not obstacles and form.validate_on_submit():
        with transaction():
            services.send_for_review(
                state.draft_id, note=form.note.data, by=current_user.person_id, at=clock.now()
            )
        flash("Sent for review. A publisher who did not change it can publish it now.", "success")
        return redirect(url_for(".show_review", key=key), 303)
    files = queries.draft_files(state)
    published = _published_files(state)
    title = draft_context.title_of(state)
    page = render_template(
        "authoring/send.html",
        state=state,
        form=form,
        obstacles=obstacles,
        findings=_list_findings(key, queries.check_draft_hashes(key, state.files), files),
        changes=diff_folders(published, files, _list_sources()),
        title=draft_context.short_title(title),
        parent_text=draft_context.breadcrumb_text(state, title),
    )
    return page, 409 if obstacles and request.method == "POST" else 200


@bp.get("/<draft:key>/review")
@requires(Permission.AUTHORING_VIEW)
def show_review(key: str) -> ResponseReturnValue:
    """Show the changes, with the ways to comment and decide."""
    return _render_review(review_queries.latest_review(key))


@bp.post("/<draft:key>/review/comment")
@requires(Permission.AUTHORING_VIEW)
def add_comment(key: str) -> ResponseReturnValue:
    """Comment on one place."""
    review, form = review_queries.latest_review(key), CommentForm()
    if form.place.data not in {"", *(change.place for change in _list_changes(review))}:
        raise NotFoundError("Nothing changed there.")
    if not form.validate_on_submit():
        return _render_review(review, failed=form), 400
    with transaction():
        services.add_comment(
            sent_review_id(),
            form.place.data,
            form.text.data.strip(),
            by=current_user.person_id,
            at=clock.now(),
        )
    flash("Your comment is added. The author sees it on this page.", "success")
    return redirect(url_for(".show_review", key=key), 303)


@bp.route("/<draft:key>/review/send-back", methods=["GET", "POST"])
@requires(Permission.VERSION_PUBLISH)
def send_back(key: str) -> ResponseReturnValue:
    """Ask what must change, and end the review without publishing."""
    review = review_queries.latest_review(key)
    form = SendBackForm(data={"review": str(review.review_id)})
    if form.validate_on_submit():
        with transaction():
            services.send_review_back(
                sent_review_id(),
                reason=form.reason.data.strip(),
                by=current_user.person_id,
                at=clock.now(),
            )
        flash("Sent back. The author sees why, and can change the draft again.", "success")
        return redirect(url_for(".show_review", key=key), 303)
    return render_template("authoring/send_back.html", form=form, review=review, **version_names(review))


@bp.post("/<draft:key>/review/withdraw")
@requires(Permission.DRAFT_EDIT)
def withdraw_draft(key: str) -> ResponseReturnValue:
    """Withdraw the draft from review."""
    with transaction():
        services.withdraw_review(sent_review_id(), by=current_user.person_id, at=clock.now())
    flash("Withdrawn from review. You can change the draft again.", "success")
    return redirect(url_for(".show_module", key=key), 303)


@bp.post("/<draft:key>/publish")
@requires(Permission.VERSION_PUBLISH)
def publish_draft(key: str) -> ResponseReturnValue:
    """Publish exactly what was reviewed."""
    with transaction():
        version = services.publish_review(sent_review_id(), by=current_user.person_id, at=clock.now())
        message = f"Version {version.number} of {draft_context.short_title(version.title)} is published."
    flash(message, "success")
    return redirect(url_for(".show_module", key=key), 303)


def sent_review_id() -> int:
    """The id of the review that the page showed."""
    text = request.form.get("review", "")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise NotFoundError("There is no such review.")
    return int(text)


def _render_review(review: ReviewState, failed: CommentForm | None = None) -> str:
    """Render the review with its changes; ``failed`` is a comment that could not be added."""
    files, published_files = queries.read_files(review.files), _published_files(review)
    changes = diff_folders(published_files, files, _list_sources())
    is_open = review.ended_at is None
    reading = queries.check_draft_hashes(review.key, review.files)
    return render_template(
        "authoring/review.html",
        review=review,
        is_open=is_open,
        changes=changes,
        count=count_changes(changes),
        findings=_list_findings(review.key, reading, files),
        old_media={
            path: sha256_of(content) for path, content in published_files.items() if path.startswith("media/")
        },
        forms=_comment_forms(review, ["", *(change.place for change in changes)], failed) if is_open else {},
        failed=failed,
        under_way=review_queries.count_people_under_way(review.key) if is_open else [],
        schedule=latest_schedule(review.review_id) if is_open else None,
        readers=review_queries.count_acknowledgements(review.key) if is_open else [],
        asks=any(checked.guide.acknowledge for checked in reading.guides),
        own_work=is_open and current_user.person_id in queries.editor_ids(review.draft_id),
        may_publish=Permission.VERSION_PUBLISH in current_user.permissions,
        may_edit=draft_context.may_edit(),
        **version_names(review),
    )


def _published_files(based: ReviewState | DraftState) -> dict[str, bytes]:
    """The files of the version that the draft is based on; empty for a new module or guide."""
    return subject_of(based.key).version_files(based.base_version_id) if based.base_version_id else {}


def _list_changes(review: ReviewState) -> list[PlaceChange]:
    return diff_folders(_published_files(review), queries.read_files(review.files))


def version_names(review: ReviewState) -> dict[str, Any]:
    """Template values that name the module or guide and its version."""
    subject = subject_of(review.key)
    title = subject.title(queries.read_content(review.files[subject.main_file]))
    number = (review.base_number or 0) + 1
    return {
        "title": draft_context.short_title(title),
        "noun": subject.noun,
        "number": number,
        "parent_text": f"{draft_context.short_title(title)}, draft of version {number}",
    }


def _comment_forms(review: ReviewState, places: list[str], failed: CommentForm | None) -> dict[str, Any]:
    """A comment form for each place; the one that failed keeps what was typed."""
    forms = {}
    for number, place in enumerate(places):
        data = {"review": str(review.review_id), "place": place, "text": ""}
        form = CommentForm(str(number), formdata=None, data=data)
        if failed is not None and failed.place.data == place:
            form.text.data, form.text.errors = failed.text.data, failed.text.errors
        forms[place] = form
    return forms


def _list_findings(
    key: str, reading: CheckedFolder, files: dict[str, bytes]
) -> list[tuple[str, finder.Finding]]:
    """Findings, each with the name of its place."""
    findings = finder.collect_findings(key, reading, files)
    package = reading.modules[0].package if reading.modules else None
    titles = {lesson.key: lesson.title for lesson in package.lessons} if package else {}
    return [(finder.place_name(finding.place, titles), finding) for finding in findings]


def _list_sources() -> dict[str, str]:
    return {source.number: source.title for source in catalogue.list_sources()}
