"""Nothing but the feature itself reads what was clear: no report on a person can."""

import re
from pathlib import Path

PORTAL = Path(__file__).resolve().parents[3] / "portal"
NAMES = re.compile(
    r"portal\.features\.clarity|clarity_(answer|words|reply)\b.*FROM|Clarity(Answer|Words|Reply)"
)


def test_nothing_else_knows_the_feature():
    readers = {
        path.relative_to(PORTAL).as_posix()
        for path in PORTAL.rglob("*.py")
        if NAMES.search(path.read_text(encoding="utf-8"))
    }

    assert {path for path in readers if not path.startswith("features/clarity/")} == set()


def test_the_feature_neither_stamps_nor_touches_and_logs_only_an_authors_answer():
    text = "".join(path.read_text(encoding="utf-8") for path in (PORTAL / "features/clarity").glob("*.py"))

    assert not re.search(r"\b(stamp|touch|log_file)\(", text)
    assert re.findall(r"\blog\((.*)\)", text) == [
        '"clarity.replied", actor_id=by, module=key, place=row.place'
    ]
