"""The try before a module's lessons: questions on one page, then the lessons to read. Nothing is stored."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.learning import queries
from portal.domain.learning.pre_test import build_pre_test, offers_pre_test
from portal.pages.layout.access import requires
from portal.platform.permissions import Permission


def add_pre_test_pages(bp: Blueprint) -> None:
    """Add the page to the blueprint of My learning."""
    bp.add_url_rule("/learning/modules/<slug>/pre-test", view_func=take_pre_test, methods=["GET", "POST"])


@requires(Permission.LEARN)
def take_pre_test(slug: str) -> ResponseReturnValue:
    """Ask the questions of the try before the lessons; answer with the lessons to read. Nothing is stored."""
    module = queries.module_reading(current_user.person_id, slug)
    if not offers_pre_test(module):
        flash("The try is for those who have not completed a lesson yet, in modules that offer it.", "error")
        return redirect(url_for(".show_module", slug=slug), 303)
    pre_test = build_pre_test(module)
    if request.method == "POST":
        plan = pre_test.plan_reading(request.form.to_dict(flat=False))
        return render_template("learning/pre_test_plan.html", module=module, plan=plan)
    questions = [fill_placeholders(check.html, module.shared) for check in pre_test.questions]
    return render_template("learning/pre_test.html", module=module, questions=questions)
