"""The dashboard of modules and guides; new ones; opening and discarding drafts; taking over a place."""

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import queries, services
from portal.domain.authoring.content_types import GUIDE_PREFIX, is_guide
from portal.domain.authoring.reviews import drafts_waiting_for
from portal.domain.catalogue.module_source import SHEET_NAMES
from portal.domain.catalogue.upkeep import (
    NEAR,
    STALE,
    last_check_at,
    list_broken_links,
    list_due_reviews,
    list_stale_sources,
)
from portal.pages.authoring.forms import NewForm, NewGuideForm, NewModuleForm
from portal.pages.authoring.views import draft_context
from portal.pages.authoring.views.draft_context import bp
from portal.pages.layout.access import list_parts, requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ConflictError, RuleError
from portal.platform.permissions import Permission


@bp.get("")
@requires(Permission.AUTHORING_VIEW)
def show_dashboard() -> ResponseReturnValue:
    """List every module, and below them every guide; or those whose draft waits for this publisher."""
    waiting: set[int] = set()
    if Permission.VERSION_PUBLISH in current_user.permissions:
        waiting = drafts_waiting_for(current_user.person_id)
    arguments = QueryArguments(request.args, request.path)
    shows_waiting = arguments.choice("drafts", ("waiting",)) == "waiting"
    modules, guides = queries.dashboard_modules(), queries.dashboard_guides()
    if shows_waiting:
        modules, guides = ([row for row in rows if row.draft_id in waiting] for rows in (modules, guides))
    html = render_template(
        "authoring/desk.html",
        modules=modules,
        guides=guides,
        waiting=len(waiting),
        shows_waiting=shows_waiting,
        errors=arguments.errors(),
        today=clock.today(),
        due_reviews=len(list_due_reviews(clock.today())),
        tasks=[task for find in list_parts("authoring.dashboard") for task in find()],
        may_edit=draft_context.may_edit(),
    )
    return html, arguments.status


@bp.get("/_reviews")
@requires(Permission.AUTHORING_VIEW)
def list_reviews() -> ResponseReturnValue:
    """List texts whose review date is past or near, stale sources with what cites them, and broken links."""
    today = clock.today()
    return render_template(
        "authoring/reviews_due.html",
        due=list_due_reviews(today),
        stale=list_stale_sources(today),
        broken=list_broken_links(),
        checked_at=last_check_at(),
        today=today,
        near_days=NEAR.days,
        stale_days=STALE.days,
        page_of_event=next(iter(list_parts("authoring.event")), None),
    )


@bp.route("/_new", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def new_module() -> ResponseReturnValue:
    """Create a module from the template."""
    form = NewModuleForm()
    if form.validate_on_submit() and _create_draft(form, services.create_module_draft):
        return redirect(url_for(".show_module", key=form.key.data), 303)
    return render_template("authoring/new.html", form=form)


@bp.route("/_guides/_new", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def new_guide() -> ResponseReturnValue:
    """Create a guide from the template."""
    form = NewGuideForm()
    if form.validate_on_submit() and _create_draft(form, services.create_guide_draft):
        return redirect(url_for(".edit_guide", key=f"{GUIDE_PREFIX}{form.key.data}"), 303)
    return render_template("authoring/new_guide.html", form=form)


def _create_draft(form: NewForm, create: Callable[..., int]) -> bool:
    """Create the draft; if it is refused, add the reason to the form and return False."""
    try:
        with transaction():
            create(form.key.data, form.title.data, by=current_user.person_id, at=clock.now())
    except ConflictError:
        sentence = f"There is already a {form.noun} with the short name “{form.key.data}”. Choose another"
        form.key.errors = (*form.key.errors, sentence)
    except RuleError as error:
        form.key.errors = (*form.key.errors, str(error))
    else:
        return True
    return False


@bp.post("/<draft:key>/edit")
@requires(Permission.DRAFT_EDIT)
def edit_draft(key: str) -> ResponseReturnValue:
    """Open a draft of the module or guide, unless there is one; then show it."""
    with transaction():
        services.open_draft(key, by=current_user.person_id, at=clock.now())
    return redirect(url_for(".show_module", key=key), 303)


@bp.route("/<draft:key>/discard", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def discard_draft(key: str) -> ResponseReturnValue:
    """Say what discarding the draft means, and discard it."""
    state = queries.get_draft(key)
    title = draft_context.title_of(state)
    if request.method == "POST":
        if request.form.get("number") != str(state.number):
            flash("Someone saved in this draft after you opened the page. Look at it again.", "error")
            return redirect(url_for(".discard_draft", key=key), 303)
        with transaction():
            services.discard_draft(state.draft_id, by=current_user.person_id, at=clock.now())
        flash(f"The draft of “{draft_context.short_title(title)}” is discarded.", "success")
        return redirect(
            url_for(".show_module", key=key) if state.published_number else url_for(".show_dashboard"), 303
        )
    return render_template(
        "authoring/discard.html",
        state=state,
        title=title,
        changes=state.number - 1,
        others=sorted(
            {editor.name for editor in state.editors if editor.person_id != current_user.person_id}
        ),
        parent_text=draft_context.breadcrumb_text(state, title),
    )


@bp.post("/<draft:key>/take-over")
@requires(Permission.DRAFT_EDIT)
def take_over(key: str) -> ResponseReturnValue:
    """Take over a place from its editor, then show it."""
    state = queries.get_draft(key)
    place = request.form.get("place", "")
    target = _editor_address(key, place)
    with transaction():
        services.take_over_place(state.draft_id, place, by=current_user.person_id, at=clock.now())
    return redirect(target, 303)


def _editor_address(key: str, place: str) -> str:
    """The address of a place's editor."""
    kind, _, name = place.partition(":")
    if kind == "lesson" and name and not is_guide(key):
        return url_for(".edit_lesson", key=key, name=name)
    if kind == "item" and name and not is_guide(key):
        return url_for(".edit_item", key=key, item=name)
    sheets = {sheet: f".{sheet.replace('-', '_')}" for sheet in SHEET_NAMES}
    endpoints = {"text": ".edit_guide"} if is_guide(key) else {"details": ".edit_details", **sheets}
    if place in endpoints:
        return url_for(endpoints[place], key=key)
    raise RuleError("There is no such place in a draft. Open it from the draft’s page.")
