"""The four modules that the portal ships hold what was promised of them."""

from collections import Counter
from pathlib import Path

from sqlalchemy import select

from portal.demo.force import FORCE_VALUES
from portal.domain.catalogue import services
from portal.domain.catalogue.models import Item, Lesson
from portal.domain.catalogue.source_files import parse_shared
from portal.domain.catalogue.version_cache import current_version
from portal.platform.db import db, stamp, transaction
from portal.platform.formats.toml_tables import Faults
from portal.platform.formats.toml_writer import format_toml, parse_toml

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "modules"
FOLDERS = ("modules", "exercises", "recommendations", "event_types")


def test_a_module_has_lessons_items_of_both_kinds_and_figures(database):
    with transaction():
        services.publish_folder(MODULES, at=stamp())
    for key in ("recognise", "protect", "respond", "report"):
        version = current_version(key)
        assert version is not None
        lessons = db.session.scalars(select(Lesson).where(Lesson.module_version_id == version.id)).all()
        items = db.session.scalars(
            select(Item).where(Item.module_version_id == version.id, Item.retired.is_(False))
        ).all()

        assert 5 <= sum(lesson.case_kind is None for lesson in lessons) <= 8
        assert sum(lesson.case_kind is not None for lesson in lessons) >= 2
        assert len(items) >= 28
        assert {"single", "multiple", "scenario"} <= {item.kind for item in items}
        covered = Counter(item.outcome for item in items)
        assert all(covered[outcome["key"]] >= 4 for outcome in version.outcomes)
        assert sum("<figure" in lesson.html and "/media/" in lesson.html for lesson in lessons) >= 3
        endings = [(lesson.key, "toml" if lesson.case_kind else "md") for lesson in lessons]
        assert all((MODULES / key / f"lessons/{name}.{ending}").is_file() for name, ending in endings)


def test_what_a_force_fills_in_has_a_place_in_lessons_job_aids_and_guides():
    shared = parse_shared({"_force.toml": (MODULES / "_force.toml").read_bytes()}, Faults())
    for pattern in ("*/lessons/*.md", "*/job-aid.md", "_guides/*.md"):
        text = "".join(path.read_text("utf-8") for path in sorted(MODULES.glob(pattern)))
        unused = [
            key
            for key in shared.settings
            if f"[[force.{key}]]" not in text and not key.startswith(("accessibility_", "privacy_"))
        ]  # the statements show those
        assert unused == [], pattern


def test_the_demo_fills_in_everything_and_says_that_it_is_made_up():
    shared = parse_shared({"_force.toml": (MODULES / "_force.toml").read_bytes()}, Faults())

    assert set(FORCE_VALUES) == set(shared.settings)
    assert all(len(value) <= 300 for value in FORCE_VALUES.values())
    assert all("made" in value or "01632 960" in value for value in FORCE_VALUES.values())


def test_what_is_shipped_is_in_the_one_form_of_toml_so_that_an_edit_changes_what_was_edited():
    for path in (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*"))):
        text = path.read_text("utf-8") if path.suffix in {".toml", ".md"} else ""
        head = text if path.suffix == ".toml" else text.partition("+++\n")[2].partition("+++\n")[0]
        assert format_toml(parse_toml(head)) == head, path
