"""Reviews of drafts: sending, reading the changes, commenting, sending back and publishing."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import findings as authoring_findings
from portal.domain.authoring import queries, reviews
from portal.domain.authoring.content_diff import PlaceChange, count_changes, diff_folders
from portal.domain.authoring.content_types import subject_of
from portal.domain.authoring.queries import DraftState
from portal.domain.authoring.reviews import (
    PassAgain,
    ReviewState,
    count_people_under_way,
    latest_schedule,
    propose_minimum,
    publish_and_ask_again,
)
from portal.domain.authoring.services import open_extra_attempt
from portal.domain.catalogue import services, version_cache
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.catalogue.module_check import sha256_of
from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.version_cache import current_version
from portal.domain.directives.queries import directives_requiring
from portal.domain.records.queries import count_records
from portal.domain.status.recording import MinimumEffect, preview_minimum
from portal.pages.authoring.forms import (
    ArchiveForm,
    CommentForm,
    ExtraAttemptByNumberForm,
    PassAgainForm,
    ScheduleForm,
    SendBackForm,
    SendForm,
)
from portal.pages.authoring.views import draft_context
from portal.pages.authoring.views.draft_context import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ConflictError, NotFoundError, RuleError, require
from portal.platform.permissions import Permission
from portal.platform.wording import instant as say_instant


@bp.route("/<draft:key>/review/send", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def send_for_review(key: str) -> ResponseReturnValue:
    """Ask what was changed and send the draft; if it is not ready, say why."""
    state = queries.get_draft(key)
    if state.review:
        return redirect(url_for(".show_review", key=key), 303)
    obstacles = reviews.list_obstacles(state)
    form = SendForm(data={"expected": str(state.number)})
    if request.method == "POST" and form.expected.data != str(state.number):
        form.expected.data = str(state.number)
        form.form_errors.append("Someone saved in this draft after you opened the page. Look at it again.")
    elif not obstacles and form.validate_on_submit():
        with transaction():
            reviews.send_for_review(
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
    return _render_review(reviews.latest_review(key))


@bp.post("/<draft:key>/review/comment")
@requires(Permission.AUTHORING_VIEW)
def add_comment(key: str) -> ResponseReturnValue:
    """Comment on one place."""
    review, form = reviews.latest_review(key), CommentForm()
    if form.place.data not in {"", *(change.place for change in _list_changes(review))}:
        raise NotFoundError("Nothing changed there.")
    if not form.validate_on_submit():
        return _render_review(review, failed=form), 400
    with transaction():
        reviews.add_comment(
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
    review = reviews.latest_review(key)
    form = SendBackForm(data={"review": str(review.review_id)})
    if form.validate_on_submit():
        with transaction():
            reviews.send_review_back(
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
        reviews.withdraw_review(sent_review_id(), by=current_user.person_id, at=clock.now())
    flash("Withdrawn from review. You can change the draft again.", "success")
    return redirect(url_for(".show_module", key=key), 303)


@bp.post("/<draft:key>/publish")
@requires(Permission.VERSION_PUBLISH)
def publish_draft(key: str) -> ResponseReturnValue:
    """Publish exactly what was reviewed."""
    with transaction():
        version = reviews.publish_review(sent_review_id(), by=current_user.person_id, at=clock.now())
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
        under_way=reviews.count_people_under_way(review.key) if is_open else [],
        schedule=latest_schedule(review.review_id) if is_open else None,
        readers=reviews.count_acknowledgements(review.key) if is_open else [],
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
) -> list[tuple[str, authoring_findings.Finding]]:
    """Findings, each with the name of its place."""
    findings = authoring_findings.collect_findings(key, reading, files)
    package = reading.modules[0].package if reading.modules else None
    titles = {lesson.key: lesson.title for lesson in package.lessons} if package else {}
    return [(authoring_findings.place_name(finding.place, titles), finding) for finding in findings]


def _list_sources() -> dict[str, str]:
    return {source.number: source.title for source in version_cache.list_sources()}


# Publishing a reviewed draft at a time to come, and cancelling it.


@bp.route("/<draft:key>/review/schedule", methods=["GET", "POST"])
@requires(Permission.VERSION_PUBLISH)
def schedule_draft(key: str) -> ResponseReturnValue:
    """Ask when to publish what was reviewed, and approve it for then."""
    review = reviews.latest_review(key)
    form = ScheduleForm(data={"review": str(review.review_id)})
    if form.validate_on_submit() and form.instant is not None:
        try:
            with transaction():
                reviews.schedule_publication(
                    sent_review_id(), form.instant, by=current_user.person_id, at=clock.now()
                )
        except RuleError as error:
            form.when.errors = [str(error)]
        else:
            flash(f"Approved. It is published at {say_instant(form.instant)}.", "success")
            return redirect(url_for(".show_review", key=key), 303)
    page = render_template("authoring/schedule.html", form=form, review=review, **version_names(review))
    return page, 400 if form.errors else 200


@bp.post("/<draft:key>/review/cancel-schedule")
@requires(Permission.VERSION_PUBLISH)
def cancel_schedule(key: str) -> ResponseReturnValue:
    """Cancel a scheduled publication; the review stays open."""
    with transaction():
        reviews.cancel_publication(sent_review_id(), by=current_user.person_id, at=clock.now())
    flash("Cancelled. It is not published until somebody publishes it.", "success")
    return redirect(url_for(".show_review", key=key), 303)


# “Must pass again from a date”: a choice when publishing, previewed before it is made.


@bp.route("/<module:key>/review/pass-again", methods=["GET", "POST"])
@requires(Permission.VERSION_PUBLISH)
def publish_and_ask(key: str) -> ResponseReturnValue:
    """Ask from which day older passes do not count, show whom that concerns, then publish."""
    review = reviews.latest_review(key)
    if review.ended_at is not None or not review.base_number:
        raise NotFoundError("Nothing waits to be published that could be asked for again.")
    form = PassAgainForm(data={"review": str(review.review_id)})
    if not form.validate_on_submit() or form.from_on.day is None:
        return _render(review, form), 400 if request.method == "POST" else 200
    try:
        effect = preview_minimum(propose_minimum(key, form.from_on.day, clock.today()))
        previewed = (str(review.review_id), form.from_on.day.isoformat())
        if "publish" not in request.form or (form.review.data, request.form.get("previewed")) != previewed:
            return _render(review, form, effect)
        confirmed = request.form.get("people", type=int)
        choice = PassAgain(
            key,
            review.review_id,
            form.from_on.day.isoformat(),
            -1 if confirmed is None else confirmed,
            clock.now().isoformat(),
        )
        done = publish_and_ask_again(choice, by=current_user.person_id)
    except RuleError as error:
        form.from_on.errors = [str(error)]
        return _render(review, form), 400
    except ConflictError as error:
        form.form_errors.append(str(error))
        return _render(review, form), 409
    if isinstance(done, UUID):
        return redirect(url_for("jobs.show_job", reference=done), 303)
    flash(done, "success")
    return redirect(url_for(".show_module", key=key), 303)


def _render(review: ReviewState, form: PassAgainForm, effect: MinimumEffect | None = None) -> str:
    return render_template(
        "authoring/pass_again.html",
        review=review,
        form=form,
        effect=effect,
        under_way=sum(people for _, people in reviews.count_people_under_way(review.key)),
        own_work=current_user.person_id in queries.editor_ids(review.draft_id),
        **version_names(review),
    )


# Archiving of a module: what it would change, its successor, and offering it again.


@bp.route("/<module:key>/archive", methods=["GET", "POST"])
@requires(Permission.VERSION_PUBLISH)
def archive_module(key: str) -> ResponseReturnValue:
    """Show what archiving would change and what not, then archive; later, change the successor."""
    version = _published_version(key)
    archive = services.archive_of(version.activity_id)
    others = [other for other in services.offered_modules() if other.activity_id != version.activity_id]
    form = ArchiveForm(
        [(other.activity.key, other.title) for other in others],
        data={"successor": archive.successor_key or "" if archive else ""},
    )
    if form.validate_on_submit():
        with transaction():
            services.archive_module(
                key, form.successor.data or None, by=current_user.person_id, at=clock.now()
            )
        flash(f"{version.title.partition(':')[0]} is archived. Passes in it stay as they are.", "success")
        return redirect(url_for(".archive_module", key=key), 303)
    page = render_template(
        "authoring/archive.html",
        key=key,
        version=version,
        title=version.title.partition(":")[0],
        archive=archive,
        form=form,
        directives=directives_requiring(version.activity_id, clock.today()),
        under_way=sum(people for _, people in count_people_under_way(key)),
        records=count_records(version.activity_id),
    )
    return page, 400 if request.method == "POST" else 200


@bp.post("/<module:key>/restore")
@requires(Permission.VERSION_PUBLISH)
def restore_module(key: str) -> ResponseReturnValue:
    """Offer an archived module again."""
    version = _published_version(key)
    with transaction():
        services.restore_module(key, by=current_user.person_id)
    flash(f"{version.title.partition(':')[0]} is offered again", "success")
    return redirect(url_for(".archive_module", key=key), 303)


def _published_version(key: str) -> ModuleVersion:
    return require(current_version(key), "This module is not published.")


# One more attempt at a module, opened by staff number.


@bp.route("/<module:key>/attempts", methods=["GET", "POST"])
@requires(Permission.ATTEMPT_OPEN_UNSEEN)
def open_attempt(key: str) -> ResponseReturnValue:
    """Open one more attempt at this module; the answer reveals nothing else about the person."""
    version = current_version(key)
    if version is None:
        raise NotFoundError(f"The module “{key}” is not published, so nobody has used its attempts.")
    title = version.title.partition(":")[0]
    form = ExtraAttemptByNumberForm()
    if not form.validate_on_submit():
        return render_template("authoring/attempts.html", key=key, version=version, title=title, form=form)
    staff_number, author_id = form.staff_number.data.strip(), current_user.person_id
    try:
        with transaction():
            is_open = open_extra_attempt(
                version, staff_number, by=author_id, reason=form.reason.data, at=clock.now()
            )
    except RuleError as error:
        flash(str(error), "error")
    else:
        flash(*_result_message(is_open, title, staff_number))
    return redirect(url_for(".open_attempt", key=key), 303)


def _result_message(is_open: bool, title: str, staff_number: str) -> tuple[str, str]:
    """The message and its kind."""
    if is_open:
        return f"One more attempt at {title} was opened today for {staff_number}.", "success"
    return (
        f"No attempt at {title} was opened. Either nobody has the staff number"
        f" {staff_number}, or that person has an attempt left or has passed."
        " Their line manager can see which.",
        "error",
    )
