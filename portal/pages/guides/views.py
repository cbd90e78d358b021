"""Pages of guides: the list with its search, one guide with its acknowledgement, and force settings."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.assurance.plan.reading import list_planned_settings
from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.catalogue.queries import shared_content
from portal.domain.catalogue.search.services import MOST_CHARACTERS, SearchResult, search_content
from portal.domain.catalogue.services import set_force_values
from portal.domain.catalogue.sources.shared_files import TEST_OUT_KEY
from portal.domain.guides import queries, services
from portal.domain.learning.queries import readable_versions
from portal.domain.people.duties import DUTIES, SETTING, roles_without_duty
from portal.domain.people.queries import list_post_names
from portal.pages.guides.forms import AcknowledgeForm, GuideSearchForm, build_force_form, entered_values
from portal.pages.layout.access import requires
from portal.pages.layout.pdf_files import markup_of_page, send_pdf
from portal.pages.layout.query_arguments import open_at_place
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.permissions import Permission
from portal.platform.wording import date

MAX_HITS = 20
bp = Blueprint("guides", __name__, template_folder="templates")


@bp.get("/guides")
@requires(Permission.LEARN)
def list_guides() -> ResponseReturnValue:
    """List every guide, or what matches a search of modules, lessons, guides and the glossary."""
    typed = " ".join(request.args.get("q", "")[: 2 * MOST_CHARACTERS].split())
    text = "".join(filter(str.isprintable, typed))[:MOST_CHARACTERS]  # nothing that turns a line around
    person_id, result = current_user.person_id, SearchResult()
    exact = bool(request.args.get("exact"))
    if text:
        result = search_content(text, readable_versions(person_id), MAX_HITS, exact=exact)
    return render_template(
        "guides/index.html",
        text=text,
        form=GuideSearchForm(data={"q": text}),
        result=result,
        exact=exact,
        guides=[] if text else queries.guides_for(person_id),
        sets_force=Permission.FORCE_SET in current_user.permissions,
    )


@bp.get("/guides/<key>")
@requires(Permission.LEARN)
def show_guide(key: str) -> ResponseReturnValue:
    """Show one guide on one page, for reading and printing."""
    guide = queries.guide_for(current_user.person_id, key)
    return render_template(
        "guides/guide.html",
        guide=guide,
        html=open_at_place(fill_placeholders(guide.version.html)),
        form=AcknowledgeForm(data={"number": guide.version.number}),
    )


@bp.get("/guides/<key>/guide.pdf")
@requires(Permission.LEARN)
def download_guide(key: str) -> ResponseReturnValue:
    """Download the guide as a tagged PDF, to print or save."""
    version = queries.guide_for(current_user.person_id, key).version
    return send_pdf(
        markup_of_page(fill_placeholders(version.html)),
        title=version.title,
        above="Guide",
        foot=f"version {version.number}, published on {date(version.published_at)}",
        at=version.published_at,
        name=f"{key}.pdf",
        strict=False,  # what was once published is there to be printed, whatever its headings are
    )


@bp.post("/guides/<key>")
@requires(Permission.LEARN)
def acknowledge_guide(key: str) -> ResponseReturnValue:
    """Record that the reader has read this version, then show the guide."""
    form = AcknowledgeForm()
    if form.validate_on_submit():
        with transaction():
            reference = services.acknowledge_guide(
                current_user.person_id, key, form.number.data, at=clock.now()
            )
        flash(f"Recorded: you have read this guide. Reference {reference}.", "success")
    return redirect(url_for(".show_guide", key=key), 303)


@bp.route("/force-settings", methods=["GET", "POST"])
@requires(Permission.FORCE_SET, recent=True)
def edit_force_settings() -> ResponseReturnValue:
    """Edit the force's settings, with the pages on which each is shown."""
    content = shared_content()
    form = build_force_form(content.settings.values(), content.values)
    if form.validate_on_submit():
        values = entered_values(form, content.settings)
        with transaction():
            changed = set_force_values(values, by=current_user.person_id)
        flash("Saved. Every page shows it from now on." if changed else "You changed nothing.", "success")
        return redirect(url_for(".edit_force_settings"), 303)
    return render_template(
        "guides/force_settings.html",
        form=form,
        content=content,
        uses=queries.uses_of_settings(),
        planned=list_planned_settings(),
        duty_keys=[SETTING + duty for duty in DUTIES],
        test_out_key=TEST_OUT_KEY,
        other_roles=roles_without_duty(list_post_names(clock.today()), content.values),
    )
