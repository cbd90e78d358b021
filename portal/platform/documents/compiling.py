"""Compiles a source to PDF in a separate process; the only module that loads the typesetter."""

from datetime import datetime
from typing import Any

import typst


def compile_source(arguments: Any, pieces: list[bytes]) -> tuple[Any, list[bytes]]:
    """Compile the source to a PDF file; a refusal comes back as its text.

    The typesetter may read the files below its folder, which is empty. ``arguments``: folders of ``fonts``;
    the document's instant ``at``; whether the rules of PDF/UA are ``claimed`` to be kept, and so checked.
    """
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=arguments["fonts"]
    )
    standards: Any = ["ua-1"] if arguments["claimed"] else None
    at = datetime.fromisoformat(arguments["at"])
    try:
        made = typst.compile(pieces[0], font_paths=fonts, pdf_standards=standards, timestamp=at)
    except typst.TypstError as error:
        return {"refused": str(error)}, []
    return {}, [made]
