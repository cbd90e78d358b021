"""Writes docs/examples: the fictional force's answer as at 30 April 2026, as known then and as known later.

Run: python -m docs.draw_examples. It makes a demo of its own, in a folder that it removes, whose clock stands
still; it takes a minute.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import time_machine
from flask_migrate import upgrade

from config import Config
from portal.app import create_app
from portal.demo.create import create_force
from portal.domain.people.queries import COMMAND_LINE
from portal.domain.reports.packs import SUMS
from portal.domain.reports.parameters import Position, parse_position
from portal.features.packs.services import ALL, ANSWER, FOI, AnswerWish, make_answer_pack
from portal.platform import clock
from portal.platform.db import read_stamps

FOLDER = Path(__file__).parent / "examples"
MODULES = Path(__file__).parents[1] / "modules"
AS_AT, TODAY = "2026-04-30", datetime(2026, 6, 12, 9, tzinfo=UTC)
THEN, LATER = "known-then", "known-later"  # the folders
# The annexes name hundreds of people, so they and what lists them are left out here.
LOOSE = {
    "answer.pdf": "answer.pdf",
    "answer.md": "answer.txt",  # documents in docs/ keep to rules that an answer need not
    "figures.csv": "figures.csv",
    "evidence.csv": "evidence.csv",
    "definitions.csv": "definitions.csv",
}
PEOPLE, SEED, SMALL = 600, 1, 5


def write_examples(folder: Path, force: str, as_at: str = AS_AT) -> list[Path]:
    """Write the answer to every recommendation, and its FOI edition, into a folder for each knowledge.

    Args:
        folder: Where the folders ``THEN`` and ``LATER`` are made anew.
        force: Name of the force.
        as_at: The day of both.

    Returns:
        The files.
    """
    written = []
    for name, known_on in ((THEN, as_at), (LATER, "")):
        target = folder / name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        newest, ahead = read_stamps()
        position = parse_position(as_at, known_on, now=clock.now(), newest=newest, ahead=ahead)
        _write_packs(target, force, position)
        written += sorted(target.iterdir())
    return written


def _write_packs(target: Path, force: str, position: Position) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        parts, whole = Path(scratch) / "answer", Path(scratch) / "foi"
        parts.mkdir()
        whole.mkdir()
        answer = AnswerWish(ALL, ANSWER, position, force, SMALL)
        make_answer_pack(answer, COMMAND_LINE, parts, Path(scratch) / ANSWER, lambda rows: None)
        public = AnswerWish(ALL, FOI, position, force, SMALL)
        make_answer_pack(public, COMMAND_LINE, whole, target / FOI, lambda rows: None)
        for source, kept in LOOSE.items():
            shutil.copyfile(parts / source, target / kept)


ROUNDED_BY = "of the fictional force’s examples alone"  # the key by which FOI packs are rounded


def make_examples(folder: Path, people: int = PEOPLE) -> list[Path]:
    """Make a demo, the examples of it in a folder, and their sums: the same bytes each time."""
    with tempfile.TemporaryDirectory() as instance, time_machine.travel(TODAY, tick=False):
        os.environ.update(PORTAL_MODE="demo", INSTANCE_DIR=instance)
        config = Config(secret_key=ROUNDED_BY)
        with create_app(config).app_context():
            upgrade()
            create_force(
                people, SEED, config.demo_password, MODULES, lambda line: print(line, file=sys.stderr)
            )
            written = write_examples(folder, config.force_name)
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in written
    ]
    (folder / SUMS).write_text("".join(lines), encoding="ascii")
    return written


def main() -> None:
    """Make the demo, and the examples of it in docs/examples."""
    for path in make_examples(FOLDER):
        print(f"{path.relative_to(FOLDER)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
