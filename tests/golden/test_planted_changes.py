"""The record sees: ten changes, planted in a copy of the tree, are each told with who meets them."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.golden.comparing import Difference, compare
from tests.running import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.sweep]
STATIC = "portal/pages/layout/static"  # compiled, and in no commit
DATABASE = '__import__("portal.platform.db", fromlist=["db"]).db'
EXTRA_STATEMENT = f'{DATABASE}.session.connection().exec_driver_sql("SELECT 1")'


@dataclass(frozen=True)
class Planted:
    """A change of a file, and what is to be told of it."""

    what: str
    file: str
    before: str
    after: str
    place: str  # how the place begins
    went: str  # in a line that went
    came: str  # in a line that came


PLANTED = (
    Planted(
        "a word in a template",
        "portal/pages/statements/templates/statements/cookies.html",
        "{% block h1 %}Cookies{% endblock %}",
        "{% block h1 %}Biscuits{% endblock %}",
        "D1001, learner: GET /cookies",
        "Cookies",
        "Biscuits",
    ),
    Planted(
        "a lost row for one role",
        "portal/pages/catalogue/views.py",
        "terms=queries.glossary_terms()",
        "terms=list(queries.glossary_terms())"
        '[int(Permission.VERSION_PUBLISH in __import__("flask_login").current_user.permissions) :]',
        "D3002, publisher: GET /glossary",
        "<dt",
        "",
    ),
    Planted(
        "one more statement",
        "portal/pages/catalogue/views.py",
        "sources=queries.list_sources()",
        f"sources={EXTRA_STATEMENT} and queries.list_sources()",
        "D2001, manager: GET /sources",
        " statements",
        " statements",
    ),
    Planted(
        "a header",
        "portal/pages/layout/compression.py",
        '"Referrer-Policy": "same-origin"',
        '"Referrer-Policy": "no-referrer"',
        "nobody: GET /sign-in",
        "Referrer-Policy: same-origin",
        "Referrer-Policy: no-referrer",
    ),
    Planted(
        "a column of a file",
        "portal/domain/records/documents.py",
        '"how", "stated_minutes", "reference"',
        '"how", "minutes", "reference"',
        "D1001, learner: GET /records/hours.csv",
        "how,stated_minutes,reference",
        "how,minutes,reference",
    ),
    Planted(
        "the subject of a mail",
        "portal/domain/reminders/desk_mails.py",
        "'text')} to review\"",
        "'text')} to read\"",
        "mail of 2026-06-10 to d3001",
        "Subject: 1 text to review",
        "Subject: 1 text to read",
    ),
    Planted(
        "a permission",
        "portal/platform/permissions.py",
        "        Permission.RECORD_IMPORT,\n        Permission.UNIT_CHANGE,\n",
        "        Permission.RECORD_IMPORT,\n",
        "D9001, administrator: refused",
        "",
        ": /units",
    ),
    Planted(
        "an option of a select",
        "portal/pages/audit/views.py",
        '"Any outcome"',
        '"Every outcome"',
        "D6001, auditor: GET /audit",
        "Any outcome",
        "Every outcome",
    ),
    Planted(
        "an option of a command",
        "portal/commands/report.py",
        '@click.option("--foi", is_flag',
        '@click.option("--numbers-only", "foi", is_flag',
        "flask report pack --help",
        "--foi",
        "--numbers-only",
    ),
    Planted(
        "an index",
        "migrations/versions/0059_record_reference.py",
        'op.create_index("ix_record_reference", "record", ["reference"])',
        'op.create_index("ix_record_reference", "record", ["reference", "id"])',
        "PostgreSQL: index ix_record_reference",
        "(reference)",
        "(reference, id)",
    ),
)


def record(tree: Path, folder: Path) -> Path:
    """A record of this tree, by its own recording."""
    environment = {**os.environ, "PORTAL_MODE": "demo", "PYTHONPATH": str(tree), "PYTHONHASHSEED": "random"}
    words = [sys.executable, "-m", "tests.golden", "record", str(folder)]
    done = subprocess.run(words, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def copy_tree(folder: Path) -> Path:
    """The files of this tree, without what is built but the assets of pages."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in names:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    shutil.copytree(ROOT / STATIC, folder / STATIC)
    return folder


def plant(tree: Path, change: Planted) -> None:
    """Make a change in a copy; fails where what it changes is not there any more."""
    path = tree / change.file
    words = path.read_text(encoding="utf-8")
    assert words.count(change.before) == 1, f"{change.what}: {change.file} has not {change.before!r} once"
    path.write_text(words.replace(change.before, change.after), encoding="utf-8")


def tells_of(difference: Difference, change: Planted) -> bool:
    return (
        difference.place.startswith(change.place)
        and (not change.went or any(change.went in line for line in difference.went))
        and (not change.came or any(change.came in line for line in difference.came))
        and bool(change.came or not difference.came)
    )


@pytest.fixture(scope="module")
def differences(tmp_path_factory: pytest.TempPathFactory) -> list[Difference]:
    folder = tmp_path_factory.mktemp("golden")
    tree = copy_tree(folder / "tree")
    for change in PLANTED:
        plant(tree, change)
    return compare(record(ROOT, folder / "kept"), record(tree, folder / "new"))


@pytest.mark.parametrize("change", PLANTED, ids=lambda change: change.what)
def test_a_planted_change_is_told(differences: list[Difference], change: Planted) -> None:
    assert [difference.place for difference in differences if tells_of(difference, change)]


def test_a_row_that_one_role_lost_is_told_of_that_role_alone(differences: list[Difference]) -> None:
    told = {difference.title for difference in differences if "GET /glossary" in difference.title}
    headed = {difference.title for difference in differences if "<dt" in " ".join(difference.went)}

    assert len(told) > 1  # the header is everybody's
    assert headed == {"D3002, publisher: GET /glossary"}
