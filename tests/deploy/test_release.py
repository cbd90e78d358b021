"""What ``make release`` refuses, and that it tags the commit that was tested, here alone."""

import runpy
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.running import ROOT

release = SimpleNamespace(**runpy.run_path(str(ROOT / "requirements/release.py")))
CHANGELOG = (
    "# Changelog\n\n## Unreleased\n\n## 1.2.0 — 3 December 2026\n\n- A thing.\n\n## 1.1.0 — 1 May 2026\n"
)


def git(root: Path, *words: str) -> str:
    who = ["-c", "user.name=Releaser", "-c", "user.email=releaser@example.police.uk"]
    return subprocess.run(
        ["git", *who, *words], cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project whose commit can be released."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Releaser")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "releaser@example.police.uk")
    (tmp_path / "docs/operating").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "portal"\nversion = "1.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "docs/operating/upgrade-notes.md").write_text("# Upgrade notes\n\n## 1.2.0\n\nNone.\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "Begin")
    return tmp_path


def test_a_clean_commit_with_its_texts_is_tagged_after_its_tests(project, capsys):
    assert release.main(["check"], project) == 0
    commit = capsys.readouterr().out.strip()

    assert release.main(["tag", commit], project) == 0

    assert git(project, "rev-parse", "v1.2.0^{commit}") == commit
    assert git(project, "tag", "--list", "--format=%(contents:subject)") == "Release 1.2.0"
    assert "git push origin v1.2.0" in capsys.readouterr().out
    assert release.main(["check"], project) == 1
    assert "v1.2.0 is tagged already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("CHANGELOG.md", CHANGELOG.replace("1.2.0", "1.3.0"), "is not “## 1.2.0 — DAY MONTH YEAR”"),
        ("CHANGELOG.md", CHANGELOG.replace(" — 3 December 2026", ""), "is not “## 1.2.0 — DAY MONTH YEAR”"),
        ("CHANGELOG.md", CHANGELOG.replace("Unreleased\n", "Unreleased\n\n- More.\n"), "section Unreleased"),
        ("docs/operating/upgrade-notes.md", "# Upgrade notes\n\n## 1.1.0\n", "has no section “## 1.2.0”"),
        ("new.py", "x = 1\n", "not committed"),
    ],
    ids=["other version", "no date", "unreleased entries", "no notes", "not clean"],
)
def test_what_is_missing_is_said_in_a_sentence_and_nothing_is_tagged(
    project, capsys, file, content, sentence
):
    (project / file).write_text(content)
    if file != "new.py":
        git(project, "commit", "--quiet", "--all", "--message", "Change")

    assert release.main(["check"], project) == 1

    assert sentence in capsys.readouterr().err
    assert git(project, "tag") == ""


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"GIT_COMMITTER_NAME": "", "GIT_CONFIG_GLOBAL": "/dev/null"}, "does not know who makes the tag"),
        ({"RELEASE_KEY": "/nowhere/key"}, "RELEASE_KEY=/nowhere/key cannot be read"),
    ],
    ids=["nobody", "no key"],
)
def test_what_would_fail_after_the_tests_is_said_before_them(
    project, capsys, monkeypatch, settings, sentence
):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    assert release.main(["check"], project) == 1

    assert sentence in capsys.readouterr().err


def test_another_commit_than_the_tested_one_is_not_tagged(project, capsys):
    tested = git(project, "rev-parse", "HEAD")
    git(project, "commit", "--quiet", "--allow-empty", "--message", "Later")

    assert release.main(["tag", tested], project) == 1

    assert "Another commit than the one that was tested" in capsys.readouterr().err
    assert git(project, "tag") == ""
