"""There is one way to read a standing: nothing outside the package knows the table of spans."""

import re
from pathlib import Path

PORTAL = Path(__file__).resolve().parents[3] / "portal"
INSIDE = "models|lines|loading|spans|sums|summing"
TABLE = re.compile(rf"Status(Period|Count)|status_(period|count)|portal\.standing\.({INSIDE})\b")
KNOWN = {"app.py"}  # tells the units of work who keeps the spans


def test_no_page_file_or_command_reads_spans_by_a_statement_of_its_own():
    sources = [p for p in PORTAL.rglob("*.py") if "standing" not in p.relative_to(PORTAL).parts]
    naming = {str(p.relative_to(PORTAL)) for p in sources if TABLE.search(p.read_text(encoding="utf-8"))}

    assert len(sources) > 100
    assert naming - KNOWN == set()
