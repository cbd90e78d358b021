"""Nothing but its own pages and its mail reads what was clear: no report on a person can."""

import re
from pathlib import Path

PORTAL = Path(__file__).resolve().parents[3] / "portal"
READERS = {
    "app.py",  # erases it when an account is closed
    "domain/reminders/desk_mails.py",
    "pages/authoring/views/statistics.py",
    "pages/authoring/views/dashboard.py",  # how many words wait for an author
    "pages/learning/views.py",
    "pages/desk/views.py",  # the same
    "domain/retention/stores.py",  # erases it with accounts of leavers
    "domain/retention/services.py",  # erases the words when their period is over
}
NAMES = re.compile(
    r"portal\.domain\.clarity|clarity_(answer|words|reply)\b.*FROM|Clarity(Answer|Words|Reply)"
)


def test_only_these_files_know_the_room():
    readers = {
        path.relative_to(PORTAL).as_posix()
        for path in PORTAL.rglob("*.py")
        if NAMES.search(path.read_text(encoding="utf-8"))
    }

    assert {path for path in readers if not path.startswith("domain/clarity/")} == READERS


def test_the_room_neither_stamps_nor_touches_and_logs_only_an_authors_answer():
    text = "".join(path.read_text(encoding="utf-8") for path in (PORTAL / "domain/clarity").glob("*.py"))

    assert not re.search(r"\b(stamp|touch|log_file)\(", text)
    assert re.findall(r"\blog\((.*)\)", text) == [
        '"clarity.replied", actor_id=by, module=key, place=row.place'
    ]
