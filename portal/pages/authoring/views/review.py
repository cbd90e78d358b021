"""Review of a draft: sent, read with what changed word by word, commented, sent back, published."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import queries
from portal.domain.authoring.content_types import subject_of
from portal.domain.authoring.editing.content_diff import PlaceChange, count_changes, diff_folders
from portal.domain.authoring.findings import collect as finder
from portal.domain.authoring.queries import DraftState
from portal.domain.authoring.reviews import queries as reviews_queries
from portal.domain.authoring.reviews import services
from portal.domain.authoring.reviews.queries import ReviewState
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
    """Say what stands in the way, or ask why it changed and send it."""
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
    """What changed, and what may be done about it."""
    return _render_review(reviews_queries.latest_review(key))


@bp.post("/<draft:key>/review/comment")
@requires(Permission.AUTHORING_VIEW)
def add_comment(key: str) -> ResponseReturnValue:
    """Say something about one place."""
    held, form = reviews_queries.latest_review(key), CommentForm()
    if form.place.data not in {"", *(change.place for change in _list_changes(held))}:
        raise NotFoundError("Nothing changed there.")
    if not form.validate_on_submit():
        return _render_review(held, failed=form), 400
    with transaction():
        services.add_comment(
            _review_id(), form.place.data, form.text.data.strip(), by=current_user.person_id, at=clock.now()
        )
    flash("Your comment is added. The author sees it on this page.", "success")
    return redirect(url_for(".show_review", key=key), 303)


@bp.route("/<draft:key>/review/send-back", methods=["GET", "POST"])
@requires(Permission.VERSION_PUBLISH)
def send_back(key: str) -> ResponseReturnValue:
    """Ask what must change, and end the review."""
    held = reviews_queries.latest_review(key)
    form = SendBackForm(data={"review": str(held.review_id)})
    if form.validate_on_submit():
        with transaction():
            services.send_review_back(
                _review_id(), reason=form.reason.data.strip(), by=current_user.person_id, at=clock.now()
            )
        flash("Sent back. The author sees why, and can change the draft again.", "success")
        return redirect(url_for(".show_review", key=key), 303)
    return render_template("authoring/send_back.html", form=form, held=held, **_version_names(held))


@bp.post("/<draft:key>/review/withdraw")
@requires(Permission.DRAFT_EDIT)
def withdraw_draft(key: str) -> ResponseReturnValue:
    """Take the draft back from review."""
    with transaction():
        services.withdraw_review(_review_id(), by=current_user.person_id, at=clock.now())
    flash("Withdrawn from review. You can change the draft again.", "success")
    return redirect(url_for(".show_module", key=key), 303)


@bp.post("/<draft:key>/publish")
@requires(Permission.VERSION_PUBLISH)
def publish_draft(key: str) -> ResponseReturnValue:
    """Publish exactly what was reviewed."""
    with transaction():
        version = services.publish_review(_review_id(), by=current_user.person_id, at=clock.now())
        told = f"Version {version.number} of {draft_context.short_title(version.title)} is published."
    flash(told, "success")
    return redirect(url_for(".show_module", key=key), 303)


def _review_id() -> int:
    """The review that the page showed."""
    said = request.form.get("review", "")
    if not said.isascii() or not said.isdigit() or len(said) > 18:
        raise NotFoundError("There is no such review.")
    return int(said)


def _render_review(held: ReviewState, failed: CommentForm | None = None) -> str:
    """The review with what changed; ``failed`` is a comment that could not be added."""
    files, old = queries.read_files(held.files), _published_files(held)
    changes = diff_folders(old, files, _list_sources())
    open_ = held.ended_at is None
    reading = queries.check_draft_hashes(held.key, held.files)
    return render_template(
        "authoring/review.html",
        held=held,
        open=open_,
        changes=changes,
        count=count_changes(changes),
        findings=_list_findings(held.key, reading, files),
        old_media={path: sha256_of(content) for path, content in old.items() if path.startswith("media/")},
        forms=_comment_forms(held, ["", *(change.place for change in changes)], failed) if open_ else {},
        failed=failed,
        under_way=reviews_queries.count_people_under_way(held.key) if open_ else [],
        readers=reviews_queries.count_acknowledgements(held.key) if open_ else [],
        asks=any(checked.guide.acknowledge for checked in reading.guides),
        own_work=open_ and current_user.person_id in queries.editor_ids(held.draft_id),
        may_publish=Permission.VERSION_PUBLISH in current_user.permissions,
        may_edit=draft_context.may_edit(),
        **_version_names(held),
    )


def _published_files(held: ReviewState | DraftState) -> dict[str, bytes]:
    """What the draft is based on; nothing of what is new."""
    return subject_of(held.key).version_files(held.base_version_id) if held.base_version_id else {}


def _list_changes(held: ReviewState) -> list[PlaceChange]:
    return diff_folders(_published_files(held), queries.read_files(held.files))


def _version_names(held: ReviewState) -> dict[str, Any]:
    """What the pages of a review call the module and its versions."""
    of = subject_of(held.key)
    title = of.title(queries.read_content(held.files[of.main_file]))
    number = (held.base_number or 0) + 1
    return {
        "title": draft_context.short_title(title),
        "word": of.noun,
        "number": number,
        "parent_text": f"{draft_context.short_title(title)}, draft of version {number}",
    }


def _comment_forms(held: ReviewState, places: list[str], failed: CommentForm | None) -> dict[str, Any]:
    """A form for each place; that which failed keeps what was typed."""
    forms = {}
    for number, place in enumerate(places):
        data = {"review": str(held.review_id), "place": place, "text": ""}
        form = CommentForm(str(number), formdata=None, data=data)
        if failed is not None and failed.place.data == place:
            form.text.data, form.text.errors = failed.text.data, failed.text.errors
        forms[place] = form
    return forms


def _list_findings(
    key: str, reading: CheckedFolder, files: dict[str, bytes]
) -> list[tuple[str, finder.Finding]]:
    """Findings, each with the name of its place."""
    found = finder.collect_findings(key, reading, files)
    package = reading.modules[0].package if reading.modules else None
    titles = {lesson.key: lesson.title for lesson in package.lessons} if package else {}
    return [(finder.place_name(each.place, titles), each) for each in found]


def _list_sources() -> dict[str, str]:
    return {source.number: source.title for source in catalogue.list_sources()}
