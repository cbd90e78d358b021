"""The lists of what is shipped, made from the real lock files as ``make sbom`` and ``make licences`` do."""

import csv
import json
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
# By its path: a package among the development tools has the name of this folder.
inventory = SimpleNamespace(**runpy.run_path(str(ROOT / "requirements/inventory.py")))


def make(python: list[str], what: str, file: Path) -> None:
    subprocess.run([*python, "requirements/inventory.py", what, file], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def locked() -> set[tuple[str, str]]:
    """Name and version of everything that is shipped, read from the lock files another way."""
    locks = [(ROOT / "requirements" / name).read_text() for name in ("production.txt", "postgresql.txt")]
    python = [Requirement(line.rstrip("\\ ")) for line in "".join(locks).splitlines() if line[:1].isalnum()]
    shipped = json.loads((ROOT / "package.json").read_text())["dependencies"]
    fonts = {(font["name"], font["version"]) for font in inventory.read_settings().fonts}
    return (
        {(one.name, str(one.specifier).removeprefix("==")) for one in python} | set(shipped.items()) | fonts
    )


def test_the_bill_of_materials_names_what_is_locked_and_needs_nothing_but_python(tmp_path, locked):
    make([sys.executable, "-I", "-S"], "sbom", tmp_path / "build" / "sbom.json")

    bill = json.loads((tmp_path / "build" / "sbom.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert {(one["name"], one["version"]) for one in bill["components"]} == locked
    assert {one["purl"] for one in bill["components"]} >= {
        "pkg:pypi/flask@3.1.3",
        "pkg:pypi/pysaml2@7.5.5",
        "pkg:pypi/psycopg-c@3.3.9",
        "pkg:npm/govuk-frontend@6.3.0",
        "pkg:npm/%40fontsource/ibm-plex-sans-arabic@5.3.0",
        "pkg:deb/debian/fonts-adobe-sourcesans3@3.052%2Bdfsg-2",
    }
    portal = bill["metadata"]["component"]
    assert (portal["name"], portal["version"]) == ("portal", inventory.read_settings().version)
    needed = next(each for each in bill["dependencies"] if each["ref"] == portal["bom-ref"])
    assert sorted(needed["dependsOn"]) == sorted(one["bom-ref"] for one in bill["components"])
    assert all(one["licenses"] for one in bill["components"])


def test_everything_shipped_has_a_licence_that_is_allowed(tmp_path, locked):
    make([sys.executable, "-W", "error"], "licences", tmp_path / "licences.csv")  # exits with 1 otherwise

    rows = list(csv.DictReader((tmp_path / "licences.csv").read_text().splitlines()))
    assert {(row["name"], row["version"]) for row in rows} == locked
    assert all(row["licence"] for row in rows)
    assert (tmp_path / "licences.csv").read_text() == inventory.LICENCES.read_text(), "run make licences"


def test_both_parts_of_the_driver_are_of_one_version(locked):
    versions = dict(locked)

    assert versions["psycopg"] == versions["psycopg-c"]


def test_a_licence_is_stated_only_for_what_is_locked(locked):
    assert set(inventory.read_settings().stated) <= {name for name, _ in locked}


@pytest.mark.parametrize(
    "licence", ["GPL-3.0-only", "", "MIT AND GPL-3.0-only", "GPL-2.0-only OR GPL-3.0-only"]
)
def test_a_licence_that_is_not_allowed_is_refused_by_name(licence):
    licences = {
        inventory.Package("pypi", "good", "1.0"): "MIT OR GPL-3.0-only",
        inventory.Package("pypi", "bad", "2.0"): licence,
    }

    with pytest.raises(inventory.LicenceError, match=r"\Abad 2\.0: ") as refused:
        inventory.check_licences(licences, {"MIT"})
    assert "good" not in str(refused.value)
