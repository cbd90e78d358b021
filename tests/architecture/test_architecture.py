"""``docs/architecture.md`` is true: its picture names every folder, and imports follow its path."""

import ast
import re
from functools import cache
from pathlib import Path

from portal.feature import list_features

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text()
PATH = re.findall(r"^\d+\. \*?`(portal/[\w/]+\.py)`", TEXT, re.MULTILINE)
ENTRANCES = {  # called by Flask, as a transaction ends, or found by the folder of a kind of item
    "portal/app.py",
    "portal/domain/item_kinds/choices.py",
    "portal/pages/assessment/views.py",
    "portal/pages/monitoring/export_views.py",
}


def boxes(name):
    """The words in a box of the picture."""
    (label,) = re.findall(rf'^ +{name}\["([^"]+)"\]', TEXT, re.MULTILINE)
    return re.findall(r"\w+", label.replace("<br/>", " "))


def rooms(storey):
    """The folders and files of a storey, as modules."""
    found = (ROOT / "portal" / storey).iterdir()
    return {p.stem for p in found if (p / "__init__.py").exists() or p.suffix == ".py"} - {"__init__"}


@cache
def imports_of(path):
    """The files that a file imports from, as it is read or within a function; names of folders resolved."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("portal"):
            module = node.module.replace(".", "/")
            found.add(f"{module}.py")
            found |= {f"{module}/{name.name}.py" for name in node.names}
    if path == "portal/app.py":  # names the others in texts
        found |= {
            f"{name.replace('.', '/')}.py"
            for name in re.findall(r"portal(?:\.\w+)+", (ROOT / path).read_text())
        }
    return found


def test_the_picture_has_every_room_of_the_domain_and_every_feature():
    assert set(boxes("d")) == rooms("domain")
    assert boxes("f") == [feature.name for feature in list_features()]


def test_each_file_on_the_path_of_a_fact_is_imported_by_another_on_it():
    """A file that no other one on the path imports is not on it: the path has changed, or has a gap."""
    assert set(PATH) >= ENTRANCES
    reached = ENTRANCES | {
        path for path in PATH if any(path in imports_of(other) for other in PATH if other != path)
    }
    assert [path for path in PATH if path not in reached] == []


def test_the_path_of_a_fact_is_numbered_and_counted():
    lines = re.findall(r"^(\d+)\. (\*?)`portal/", TEXT, re.MULTILINE)
    beside = sum(bool(star) for _, star in lines)

    assert [int(number) for number, _ in lines] == list(range(1, len(lines) + 1))
    assert f"That is {len(lines)} files: {len(lines) - beside} on the path and {beside} beside it." in TEXT
