"""One figure beside its floor, and all of them as a table and as JSON."""

import json
import os
import platform
import sqlite3
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
MEASURED = (
    "portal",
    "migrations",
    "modules",
    "event_types",
    "recommendations",
    "config.py",
    "serve.py",
    "wsgi.py",
    "requirements/base.txt",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. ``target`` is in ``judged_unit``; None: reported without a target."""

    part: str  # the letter of the measure
    what: str
    value: float
    unit: str
    floor: float | None = None
    floor_what: str = ""
    judged: float | None = None  # what the target is compared with: a ratio, or the value itself
    judged_unit: str = ""
    target: float | None = None
    at_least: bool = False  # the target is a least value; otherwise a greatest one
    fails_build: bool = False  # ratios and query counts may; times and sizes are reported

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None or self.judged is None:
            return None
        return self.judged >= self.target if self.at_least else self.judged <= self.target

    @property
    def verdict(self) -> str:
        """The words of the table's last column."""
        if self.met is None:
            return ""
        if self.met:
            return "met"
        assert self.judged is not None
        assert self.target is not None
        return f"missed by {_number(abs(self.judged - self.target))} {self.judged_unit}".rstrip()


def machine() -> dict[str, object]:
    """What was measured, and on what."""
    return {
        "commit": commit(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "processors": os.cpu_count(),
        "load_average_at_the_end": [round(each, 1) for each in os.getloadavg()],
        "architecture": platform.machine(),
        "system": platform.system(),
    }


def commit() -> str:
    """The commit that is checked out, with “and changes” where the code differs from it; else “unknown”."""
    try:
        head = _git("rev-parse", "HEAD")
        return f"{head} and changes" if _git("status", "--porcelain", "--untracked-files=no") else head
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def commits_behind(since: str, folder: Path = HERE.parent) -> int | None:
    """How many commits since one changed what is measured; None where the history does not say.

    A branch that was merged counts once, however many commits it has.
    """
    try:
        commits = ("rev-list", "--count", "--first-parent", f"{since}..HEAD")
        return int(_git(*commits, "--", *MEASURED, folder=folder))
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*words: str, folder: Path = HERE.parent) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def write(figures: Sequence[Figure], notes: Sequence[str], size: dict[str, int]) -> None:
    """Write ``latest.json`` and ``latest.md`` beside this file."""
    about = machine()
    measured_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = [{**asdict(f), "met": f.met} for f in figures]
    data = {
        "measured_at": measured_at,
        "machine": about,
        "database": size,
        "figures": rows,
        "notes": list(notes),
    }
    (HERE / "latest.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    words = ", ".join(f"{key} {value}" for key, value in {**about, **size}.items())
    text = f"# Last figures\n\nMeasured {measured_at}; {words}.\n\n{table(figures)}\n"
    text += "".join(f"\n- {note}" for note in notes) + ("\n" if notes else "")
    (HERE / "latest.md").write_text(text, encoding="utf-8")


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = ["| | Measured | Figure | Floor, same run | Judged | Target | |", "|---|---|--:|--:|--:|--:|---|"]
    for f in figures:
        floor = "" if f.floor is None else f"{_number(f.floor)} {f.unit} ({f.floor_what})"
        judged = "" if f.judged is None else f"{_number(f.judged)} {f.judged_unit}".rstrip()
        sign = "at least" if f.at_least else "at most"
        target = "" if f.target is None else f"{sign} {_number(f.target)} {f.judged_unit}".rstrip()
        cells = (f.part, f.what, f"{_number(f.value)} {f.unit}", floor, judged, target, f.verdict)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
