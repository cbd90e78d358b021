import hashlib
import json
from pathlib import Path

import pytest

from portal.pages.layout import assets

ROOT = Path(__file__).parents[3]


def manifest() -> dict[str, str]:
    found: dict[str, str] = json.loads((assets.STATIC / "manifest.json").read_text(encoding="utf-8"))
    return found


def test_each_file_is_named_by_its_content() -> None:
    names = manifest()
    assert set(names) == {
        "portal.css",
        "portal.js",
        "register.js",
        "syndicates.js",
        "exercise.js",
        "authoring.js",
        "checks.js",
        "toolbar.js",
        "passkeys.js",
        "search.js",
        "govuk-frontend.js",
        "favicon.svg",
    }
    for name in names.values():
        content = (assets.STATIC / name).read_bytes()
        assert hashlib.sha256(content).hexdigest()[:16] == name.split(".")[-2]


def test_the_script_loads_the_library_by_its_hashed_name() -> None:
    names = manifest()
    own = (assets.STATIC / names["portal.js"]).read_text(encoding="utf-8")
    assert f'from "./{names["govuk-frontend.js"]}"' in own


def test_the_style_sheet_is_lean_and_holds_nothing_of_the_crown() -> None:
    name = manifest()["portal.css"]
    style = (assets.STATIC / name).read_text(encoding="utf-8")
    assert (assets.STATIC / f"{name}.gz").stat().st_size < 17_500  # light and dark, as it is sent
    for mark in ("GDS Transport", "crest", "crown", "@font-face", "govuk-header", "govuk-footer", "url("):
        assert mark not in style


def test_an_unknown_file_is_named_in_the_error() -> None:
    with pytest.raises(assets.AssetsMissingError, match=r"other\.css is not compiled"):
        assets.asset("other.css")


def test_the_lock_names_packages_and_hashes_but_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages["node_modules/govuk-frontend"]["version"] == "6.3.0"
    for name, entry in packages.items():
        assert "resolved" not in entry, name
        assert entry["integrity"].startswith("sha512-"), name
