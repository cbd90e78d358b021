"""Nothing but its own pages, its mail and the author's page reads recall: no report on a person can."""

import re
from pathlib import Path

PORTAL = Path(__file__).resolve().parents[3] / "portal"
READERS = {
    "app.py",  # erases it when an account is closed
    "domain/reminders/desk_mails.py",
    "domain/retention/stores.py",  # erases it with accounts of leavers
    "domain/retention/services.py",  # erases it when its person asks
    "domain/subject_access/register/learning.py",  # marks its columns: a person gets a copy of their own
    "pages/authoring/views/statistics.py",
    "pages/learning/views.py",  # the card of My learning
}
NAMES = re.compile(r"portal\.domain\.recall|recall_review|recall_opt_out|RecallReview|RecallOptOut")


def test_only_these_files_know_the_room():
    readers = {
        path.relative_to(PORTAL).as_posix()
        for path in PORTAL.rglob("*.py")
        if NAMES.search(path.read_text(encoding="utf-8"))
    }

    assert {path for path in readers if not path.startswith("domain/recall/")} == READERS


def test_the_room_neither_stamps_nor_logs_nor_touches():
    text = "".join(path.read_text(encoding="utf-8") for path in (PORTAL / "domain/recall").glob("*.py"))

    assert not re.search(r"\b(stamp|touch|log|log_file)\(|portal\.platform\.audit", text)
