"""Checks that a job aid or a briefing can become a tagged PDF, with a stand-in for each setting."""

import re
from datetime import UTC, datetime
from functools import lru_cache

from portal.domain.catalogue.markdown.unset_settings import FORCE_SLOT
from portal.domain.catalogue.sources.module_source import PageSource
from portal.platform.documents.fonts import undrawable_letters
from portal.platform.documents.markup import markup_of
from portal.platform.documents.replacements import name_of
from portal.platform.documents.typesetting import TypesettingError, typeset_pdf
from portal.platform.formats.faults import Faults
from portal.platform.isolation.stops import ReadingStoppedError

_USUAL_VALUE = "Control room, 01632 960 100, any hour"
_TERM_SLOT = re.compile(r"\{\{term:[^{}]*\}\}")
_PAGE = re.compile(rb"/Type\s*/Page\b")
_PRINTED = datetime(2000, 1, 1, tzinfo=UTC)  # any day: it does not change the number of pages


@lru_cache(maxsize=256)  # the editor counts the same text several times
def count_a4_pages(html: str, title: str, module: str) -> int:
    """Count the A4 pages that a job aid or a briefing fills.

    Args:
        html: As rendered.
        title: Of the page.
        module: The title of its module, printed above it.

    Raises:
        TypesettingError: No accessible PDF can be made of it.
        ReadingStoppedError: Making the PDF took too much memory or time.
    """
    markup = markup_of(_TERM_SLOT.sub("", FORCE_SLOT.sub(_USUAL_VALUE, html)))
    content = typeset_pdf(markup, title=title, above=f"Job aid · {module}", foot="", author="", at=_PRINTED)
    return len(_PAGE.findall(content))


def check_printable(page: PageSource, html: str, module: str, faults: Faults) -> None:
    """Add a fault for whatever keeps a sheet from becoming a PDF, unless its file has faults already."""
    if any(fault.path == page.path for fault in faults.listed()):
        return
    rows = page.body.split("\n")
    for letter in sorted(undrawable_letters(html + page.title)):
        line = next((page.body_line + n for n, row in enumerate(rows) if letter in row), None)
        names = " and ".join(map(name_of, letter))
        reason = f"“{letter}” ({names}) cannot be shown in the PDF. Write it in words, or take it out."
        faults.add(page.path, line, reason)
    try:
        count_a4_pages(html, page.title, module)
    except ReadingStoppedError as error:
        faults.add(page.path, None, str(error))
    except TypesettingError as error:
        faults.add(page.path, None, str(error))
