"""Sends a page's text as a tagged PDF of the force."""

from datetime import datetime
from functools import partial
from io import BytesIO
from urllib.parse import urljoin

from flask import Response, current_app, send_file

from config import Config
from portal.platform.documents.markup import markup_of
from portal.platform.documents.typesetting import typeset_pdf


def markup_of_page(html: str) -> str:
    """The typesetter's markup of a page's safe HTML; links lead to this portal."""
    config: Config = current_app.config["PORTAL"]
    return markup_of(html, partial(urljoin, config.address))


def send_pdf(
    markup: str, *, title: str, above: str, foot: str, at: datetime, name: str, strict: bool = True
) -> Response:
    """Send a tagged A4 PDF, to print or save.

    Args:
        markup: Of the text, with everything filled in.
        title: The heading, and the document's title.
        above: A line above the heading.
        foot: What the foot of each page says after the force's name.
        at: When the content was made.
        name: Of the file.
        strict: As for ``typeset_pdf``.
    """
    config: Config = current_app.config["PORTAL"]
    content = typeset_pdf(
        markup,
        title=title,
        above=above,
        foot=f"{config.force_name}, {foot}",
        author=config.force_name,
        at=at,
        strict=strict,
    )
    return send_file(BytesIO(content), "application/pdf", as_attachment=True, download_name=name)
