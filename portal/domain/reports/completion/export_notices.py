"""What is said beside the links to files before they are pressed: which of them a job will make."""

from portal.domain.reports.completion import pdf_export, writers
from portal.domain.reports.statistics import Figures
from portal.platform.wording import number

LONG, WIDE, PAPER = "XLSX with every requirement", "XLSX with one row a person", "PDF"


def waits(figures: Figures, offered: tuple[str, ...] = (LONG, WIDE, PAPER)) -> str:
    """Which of the files offered are too long to be waited for, in a sentence; empty where none is.

    The bounds are those by which the files themselves are made at once or handed to a job.

    Args:
        figures: Of the people who would be listed.
        offered: Which files the links beside the sentence lead to.
    """
    bounds = (
        (LONG, figures.rows, writers.XLSX_ROWS, f"over {number(writers.XLSX_ROWS)} rows"),
        (WIDE, figures.assigned, writers.XLSX_ROWS, f"over {number(writers.XLSX_ROWS)} rows"),
        (PAPER, figures.assigned, pdf_export.MOST_PEOPLE, f"over {number(pdf_export.MOST_PEOPLE)} people"),
    )
    long = [f"the {name} ({why})" for name, held, most, why in bounds if name in offered and held > most]
    if not long:
        return ""
    named = " and ".join(filter(None, (", ".join(long[:-1]), long[-1])))
    each = "it becomes a job" if len(long) == 1 else "each becomes a job"
    said = f"{named} {'takes' if len(long) == 1 else 'take'} longer than a page waits"
    then = "with a page that shows how far it is and holds the file for 24 hours"
    return f"{said[:1].upper()}{said[1:]}: {each}, {then}."
