"""There is one way to read a status: nothing outside its room knows the derived tables."""

import re
from pathlib import Path

PORTAL = Path(__file__).resolve().parents[3] / "portal"
INSIDE = r"models|projection_rows import (?!LostClaimError)"
TABLE = re.compile(rf"Status(Period|Count)\b|status_(period|count)\b|portal\.domain\.status\.({INSIDE})")
KNOWN = {
    "app.py",  # names the models and what runs before each commit
    *(f"domain/subject_access/{name}.py" for name in ("register/learning", "register/work", "person_file")),
}


def test_no_page_file_or_command_reads_status_periods_by_a_statement_of_its_own():
    room = PORTAL / "domain" / "status"
    sources = [path for path in PORTAL.rglob("*.py") if not path.is_relative_to(room)]
    naming = {str(path.relative_to(PORTAL)) for path in sources if TABLE.search(path.read_text("utf-8"))}

    assert len(sources) > 100
    assert naming - KNOWN == set()
