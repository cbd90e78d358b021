"""The job aid and the briefing of a module, as page and as PDF, and the page of all briefings."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.domain.catalogue.archiving import offered_modules
from portal.domain.catalogue.guide_publishing import guide_summaries
from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.learning.queries import newest_version
from portal.pages.layout.access import requires
from portal.pages.layout.pdf_files import markup_of_page, send_pdf
from portal.pages.layout.query_arguments import open_at_place
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import date

TOOLKIT = "supervisors-toolkit"  # the key of the guide that the page of briefings names


def add_sheet_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of My learning."""
    bp.add_url_rule("/learning/briefings", view_func=list_briefings)
    for name, show, download in (
        ("job-aid", show_job_aid, download_job_aid),
        ("briefing", show_briefing, download_briefing),
    ):
        bp.add_url_rule(f"/learning/modules/<slug>/{name}", view_func=show)
        bp.add_url_rule(f"/learning/modules/<slug>/{name}.pdf", view_func=download)


@requires(Permission.LEARN)
def show_job_aid(slug: str) -> ResponseReturnValue:
    """Show the job aid of a module's newest version."""
    version = newest_version(slug)
    if version.job_aid_html is None:
        raise NotFoundError("This module has no job aid.")
    html = open_at_place(fill_placeholders(version.job_aid_html))
    return render_template("learning/job_aid.html", version=version, html=html)


@requires(Permission.LEARN)
def download_job_aid(slug: str) -> ResponseReturnValue:
    """Download the job aid as a tagged PDF, to print or save."""
    version = newest_version(slug)
    if version.job_aid_html is None or version.job_aid_title is None:
        raise NotFoundError("This module has no job aid.")
    return _send_sheet(version, version.job_aid_title, version.job_aid_html, "Job aid")


@requires(Permission.LEARN)
def show_briefing(slug: str) -> ResponseReturnValue:
    """Show the briefing of a module's newest version, to be read out at parade."""
    version = newest_version(slug)
    if version.briefing_html is None:
        raise NotFoundError("This module has no briefing.")
    return render_template(
        "learning/briefing.html",
        version=version,
        html=open_at_place(fill_placeholders(version.briefing_html)),
    )


@requires(Permission.LEARN)
def download_briefing(slug: str) -> ResponseReturnValue:
    """Download the briefing as a tagged PDF, to print or save."""
    version = newest_version(slug)
    if version.briefing_html is None or version.briefing_title is None:
        raise NotFoundError("This module has no briefing.")
    return _send_sheet(version, version.briefing_title, version.briefing_html, "Briefing")


@requires(Permission.LEARN)
def list_briefings() -> ResponseReturnValue:
    """List the briefing of each module and the supervisor's toolkit, for whoever leads others."""
    return render_template(
        "learning/briefings.html",
        versions=[version for version in offered_modules() if version.briefing_title],
        toolkit=next((guide for guide in guide_summaries() if guide.key == TOOLKIT), None),
    )


def _send_sheet(version: ModuleVersion, title: str, html: str, kind: str) -> ResponseReturnValue:
    return send_pdf(
        markup_of_page(fill_placeholders(html)),
        title=title,
        above=f"{kind} · {version.title}",
        foot=f"version {version.number}, published on {date(version.published_at)}",
        at=version.published_at,
        name=f"{version.activity.key}-{kind.lower().replace(' ', '-')}.pdf",
        strict=False,  # what was once published is there to be printed, whatever its headings are
    )
