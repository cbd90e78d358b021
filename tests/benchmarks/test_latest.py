"""The figures that are kept are of this code: at most so many commits old, where the history says so."""

import json
import re
import subprocess

import pytest

from benchmarks.figures import commits_behind
from benchmarks.serving import ROOT

MOST_BEHIND = 60
KEPT = ("latest", "hour/latest", "growth/latest")


@pytest.mark.sweep  # a mend need not wait for half an hour of figures; an issue does
@pytest.mark.parametrize("name", KEPT)
def test_kept_figures_are_of_this_code(name):
    file = ROOT / "benchmarks" / f"{name}.json"
    if not file.exists():
        pytest.skip("Not measured yet.")
    data = json.loads(file.read_text())
    commit = re.match(r"[0-9a-f]{40}", (data.get("machine") or data.get("about") or {}).get("commit", ""))
    if commit is None:
        pytest.skip("Measured before figures named their commit, or outside of a repository.")
    behind = commits_behind(commit[0])
    if behind is None:
        pytest.skip(f"This clone does not have {commit[0]}.")

    assert commit[0] in file.with_suffix(".md").read_text()
    assert behind <= MOST_BEHIND, (
        f"benchmarks/{name}.md is {behind} commits older than the code it measures: make bench"
    )


def git(folder, *words):
    """Run git, with a name and no settings of whoever runs the tests."""
    named = ("-c", "user.name=x", "-c", "user.email=x@westshire.example", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *named, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.slow
def test_only_commits_to_what_is_measured_count(tmp_path):
    git(tmp_path, "init", "--quiet")
    commits = []
    for number, path in enumerate(("portal", "docs", "portal", "serve.py")):
        (tmp_path / path).write_text(f"{number}\n")
        git(tmp_path, "add", path)
        git(tmp_path, "commit", "--quiet", "-m", f"Change {path}")
        commits.append(git(tmp_path, "rev-parse", "HEAD"))

    assert [commits_behind(commit, tmp_path) for commit in commits] == [2, 2, 1, 0]
    assert commits_behind("f" * 40, tmp_path) is None
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{tmp_path}", "shallow")
    assert commits_behind(commits[0], tmp_path / "shallow") is None


def test_without_a_history_nothing_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commits_behind("f" * 40, tmp_path) is None
