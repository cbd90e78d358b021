"""Compiles a source to PDF in a separate process; the only module that loads the typesetter.

The typesetter takes memory that no server process should hold, and it reads text that people wrote.
"""

from datetime import datetime
from typing import Any

import typst


def compile_source(arguments: Any, pieces: list[bytes]) -> tuple[Any, list[bytes]]:
    """Compile the source of a document to a PDF file.

    The typesetter may read the files below its folder, which is empty.

    Args:
        arguments: ``fonts``, the folders of the fonts; ``at``, the document's instant, as ISO 8601 writes it;
            ``claimed``, whether the file declares to keep the rules of PDF/UA, which are then checked.
        pieces: The source alone, in UTF-8.

    Returns:
        The file as the only piece; or no piece, and the typesetter's reason under ``refused``.
    """
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=arguments["fonts"]
    )
    standards: Any = ["ua-1"] if arguments["claimed"] else None
    at = datetime.fromisoformat(arguments["at"])
    try:
        pdf = typst.compile(pieces[0], font_paths=fonts, pdf_standards=standards, timestamp=at)
    except typst.TypstError as error:
        return {"refused": str(error)}, []
    return {}, [pdf]
