"""Nothing but the feature itself reads recall: no report on a person can."""

import re
from pathlib import Path

PORTAL = Path(__file__).resolve().parents[3] / "portal"
NAMES = re.compile(r"portal\.features\.recall|recall_review|recall_opt_out|RecallReview|RecallOptOut")


def test_nothing_else_knows_the_feature():
    readers = {
        path.relative_to(PORTAL).as_posix()
        for path in PORTAL.rglob("*.py")
        if NAMES.search(path.read_text(encoding="utf-8"))
    }

    assert {path for path in readers if not path.startswith("features/recall/")} == set()


def test_the_feature_neither_stamps_nor_logs_nor_touches():
    text = "".join(path.read_text(encoding="utf-8") for path in (PORTAL / "features/recall").glob("*.py"))

    assert not re.search(r"\b(stamp|touch|log|log_file)\(|portal\.platform\.audit", text)
