"""Checks that this commit can be released, and tags it: ``make release`` runs it before and after the tests.

Nothing leaves this machine: whoever releases looks at the tag, then pushes it.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECTION = re.compile(r"^## (\S+) — \d{1,2} [A-Z][a-z]+ \d{4}$", re.MULTILINE)
NOTES = "docs/operating/upgrade-notes.md"


def git(root: Path, *words: str) -> str:
    """What git answers."""
    done = subprocess.run(  # noqa: S603 - words of this file
        ["git", *words],  # noqa: S607 - whichever git the person who releases uses
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def read_version(root: Path) -> str:
    """The version, which ``pyproject.toml`` alone says."""
    version: str = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    return version


def list_faults(root: Path) -> Iterator[str]:
    """A sentence for each reason not to release the commit that is checked out."""
    version = read_version(root)
    if git(root, "status", "--porcelain"):
        yield "The working tree has changes that are not committed."
    if git(root, "tag", "--list", f"v{version}"):
        yield f"v{version} is tagged already: write the next version in pyproject.toml."
    try:
        git(root, "var", "GIT_COMMITTER_IDENT")
    except subprocess.CalledProcessError:
        yield "Git does not know who makes the tag: set user.name and user.email with git config."
    key = os.environ.get("RELEASE_KEY", "")
    if key and not os.access(key, os.R_OK):
        yield f"RELEASE_KEY={key} cannot be read: give the path of a private key of SSH."
    changelog = (root / "CHANGELOG.md").read_text()
    sections = SECTION.findall(changelog)
    if sections[:1] != [version]:
        yield f"The first dated section of CHANGELOG.md is not “## {version} — DAY MONTH YEAR”."
    unreleased = changelog.partition("## Unreleased")[2].partition("\n## ")[0]
    if unreleased.strip():
        yield "CHANGELOG.md still has a section Unreleased with entries: they belong to this release."
    if f"\n## {version}\n" not in (root / NOTES).read_text():
        yield f"{NOTES} has no section “## {version}”."


def main(words: list[str], root: Path = ROOT) -> int:
    """``check``, or ``tag COMMIT`` once the tests of that commit have passed; 1 with a sentence a fault."""
    faults = list(list_faults(root))
    commit = git(root, "rev-parse", "HEAD")
    if words[:1] == ["tag"] and words[1:] != [commit]:
        faults.append("Another commit than the one that was tested is checked out.")
    if faults:
        print(*faults, sep="\n", file=sys.stderr)
        return 1
    if words[:1] == ["tag"]:
        version = read_version(root)
        git(root, "tag", "--annotate", f"v{version}", "--message", f"Release {version}")
        print(f"Tagged v{version} here. Look at it, then push it: git push origin v{version}")
    else:
        print(commit)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
