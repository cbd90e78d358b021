"""Ticks beside one's own text, a copy shown to one's line manager, and that manager's page of the copy.

Who reads a copy follows from the copy alone: the person whom the learner named, and nobody by a role.
"""

from functools import partial

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.cases import copies
from portal.domain.cases.copy_services import CopyRefusedError
from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.catalogue.queries import shared_key
from portal.domain.learning import case_copies
from portal.pages.layout.access import requires
from portal.pages.layout.disclosure import log_disclosure
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.permissions import Permission

_DEBRIEF = "/learning/modules/<slug>/lessons/<key>/debriefs/<int:number>"


def add_copy_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of My learning."""
    bp.add_url_rule(f"{_DEBRIEF}/rubric", view_func=save_rubric, methods=["POST"])
    bp.add_url_rule(f"{_DEBRIEF}/copy", view_func=show_copy, methods=["POST"])
    bp.add_url_rule("/learning/copies", view_func=list_copies)
    bp.add_url_rule("/learning/copies/<int:copy_id>", view_func=read_copy)
    bp.add_url_rule("/learning/copies/<int:copy_id>", view_func=save_copy_rubric, methods=["POST"])
    bp.add_url_rule("/learning/copies/<int:copy_id>/end", view_func=take_copy_back, methods=["POST"])


@requires(Permission.LEARN)
def save_rubric(slug: str, key: str, number: int) -> ResponseReturnValue:
    """Save what the learner ticked beside their own texts."""
    form = request.form.to_dict(flat=False)
    with transaction():
        case_copies.save_own_rubric(current_user.person_id, slug, key, number, form, clock.now())
    flash("What you ticked is saved. Nothing is scored.", "success")
    return redirect(url_for(".show_lesson", slug=slug, key=key), 303)


@requires(Permission.LEARN)
def show_copy(slug: str, key: str, number: int) -> ResponseReturnValue:
    """Show a copy of the learner's texts to the line manager whom they agreed to."""
    form = request.form.to_dict(flat=False)
    try:
        with transaction():
            case_copies.show_copy(current_user.person_id, slug, key, number, form, clock.now())
    except CopyRefusedError as error:
        flash(str(error), "error")
    else:
        flash("A copy is shown. You can take it back at any time.", "success")
    return redirect(url_for(".show_lesson", slug=slug, key=key) + "#copy", 303)


@requires(Permission.LEARN)
def list_copies() -> ResponseReturnValue:
    """List the copies that are shown to the person, and those that they show."""
    return render_template(
        "learning/copies.html",
        shown_to_me=copies.copies_shown_to(current_user.person_id, clock.now()),
        shown_by_me=copies.copies_shown_by(current_user.person_id),
    )


@requires(Permission.LEARN)
def read_copy(copy_id: int) -> ResponseReturnValue:
    """Show a copy to the person whom its writer named, beside the model, with the rubric."""
    reading = case_copies.read_copy(current_user.person_id, copy_id, clock.now())
    log_disclosure(reading.copy.learner.id, "copy")
    return render_template(
        "learning/copy.html",
        reading=reading,
        copy=reading.copy,
        incident_html=reading.case.kind.opening_html(reading.case.content),
        fill=partial(fill_placeholders, shared=shared_key()),
    )


@requires(Permission.LEARN)
def save_copy_rubric(copy_id: int) -> ResponseReturnValue:
    """Save what the manager ticked and chose; the writer sees it beside their own ticks."""
    form = request.form.to_dict(flat=False)
    with transaction():
        copy = case_copies.apply_rubric(current_user.person_id, copy_id, form, clock.now())
    flash(f"Saved. {copy.learner.name} sees it beside their own text.", "success")
    return redirect(url_for(".list_copies"), 303)


@requires(Permission.LEARN)
def take_copy_back(copy_id: int) -> ResponseReturnValue:
    """End the showing of one's own copy, and erase it."""
    with transaction():
        copy = case_copies.take_copy_back(current_user.person_id, copy_id, clock.now())
    flash(f"The copy is erased. {copy.manager.name} can no longer read it.", "success")
    return redirect(url_for(".list_copies"), 303)
