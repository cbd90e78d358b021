"""The feature that CONTRIBUTING.md shows works as it stands there, and leaves nothing when it is deleted."""

import re
import shutil
from pathlib import Path

import pytest

from tests.features.copies import ROOT, copy_portal, run_python

NAME = "bookmarks"
FILE = re.compile(r"^`(\S+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TRIED = (f"tests/features/{NAME}", "tests/migrations", "tests/pages/access", "tests/domain/subject_access")
OF_DOCUMENTS = ("tests/migrations/test_data_model.py",)
QUICK = ("-q", "-p", "no:cacheprovider", "-m", "not postgresql and not sweep")
MOST_LINES = 130  # of all its files, without blank ones


def list_shown_files():
    """Path and text of each file of the feature, as CONTRIBUTING.md shows them."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("### … a feature, from nothing\n")[2].partition("\n### ")[0]
    return [(Path(path), body) for path, body in FILE.findall(section)]


def test_it_is_short():
    lines = [line for _, body in list_shown_files() for line in body.splitlines() if line.strip()]

    assert 0 < len(lines) <= MOST_LINES


@pytest.mark.slow
def test_it_works_as_it_is_shown_and_leaves_nothing(tmp_path):
    copy_portal(tmp_path)
    files = [*list_shown_files(), (Path(f"portal/features/{NAME}/__init__.py"), '"""Bookmarks."""\n')]
    for path, body in files:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(body, encoding="utf-8")
    sources = [str(path) for path, _ in files if path.suffix == ".py"]

    run_python("-m", "ruff", "check", *sources, cwd=tmp_path)
    run_python("-m", "ruff", "format", "--check", *sources, cwd=tmp_path)
    run_python("-m", "pytest", *QUICK, *TRIED, cwd=tmp_path)
    for path, _ in files:
        (tmp_path / path).unlink()
    for top in ("portal", "tests"):
        shutil.rmtree(tmp_path / top / "features" / NAME)
    run_python("-m", "pytest", *QUICK, "--quick", "tests/migrations", "tests/pages/access", cwd=tmp_path)
