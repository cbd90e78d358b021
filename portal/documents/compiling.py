"""Making a PDF of a source, in a process of its own: the one place that loads the typesetter."""

from datetime import datetime
from typing import Any

import typst


def compile_source(arguments: Any, pieces: list[bytes]) -> tuple[Any, list[bytes]]:
    """Answer the file made of the source, or why there is none.

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
