import hashlib
import json
import re
from pathlib import Path

import pytest

from portal.domain.status.rules import Status
from portal.features.assurance.recommendations import ACTION_TAGS, JUDGEMENT_TAGS
from portal.pages.layout import assets
from portal.pages.layout.job_labels import STATE_TAGS

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


KEYS = {"portal-for"}  # only the code that unfolds duties looks for it
# What a name in a template can end with, where the template builds it from a variable.
BUILT = {
    "portal-tag--": [
        *(status.name.lower() for status in Status),
        *STATE_TAGS.values(),
        *JUDGEMENT_TAGS.values(),
        *ACTION_TAGS.values(),
    ],
    "portal-table--": ["dense"],
    "portal-fill--": ["orange", "blue"],
    "portal-picture__places--": ["wide", "narrow"],
    "portal-feedback--": ["right", "wrong"],
    "portal-place--": ["found", "missed", "extra"],
}
CLASS = re.compile(r"(?<![\w./:-])portal-[a-z][\w-]*(?![\w:-])")
MARKUP = re.compile(r"""(?:class|classes|svgclass)=["'](.*?)["'](?=[\s>,)/])""", re.DOTALL)


def classes_of(path: Path) -> set[str]:
    """The portal's classes in a template, or in the markup that a module of the portal writes."""
    text = path.read_text(encoding="utf-8")
    texts = (
        [re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)] if path.suffix == ".html" else MARKUP.findall(text)
    )
    return {name for part in texts for name in CLASS.findall(part)}


def test_every_class_that_a_template_can_give_has_a_rule() -> None:
    style = next(assets.STATIC.glob(assets.asset("portal.css").rsplit("/", 1)[1])).read_text(encoding="utf-8")
    ruled = set(re.findall(r"\.(portal-[\w-]+)", style))
    portal = Path(assets.__file__).parents[2]
    given = {path: classes_of(path) for kind in ("*.html", "*.py") for path in portal.rglob(kind)}
    built = {name for names in given.values() for name in names if name.endswith(("--", "__"))}

    assert built == set(BUILT)
    assert {f"{name}{end}" for name, ends in BUILT.items() for end in ends} <= ruled
    missing = {name: path.name for path, names in given.items() for name in names - built - ruled - KEYS}
    assert missing == {}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_white_can_be_read_on_the_green_of_both_schemes() -> None:
    style = next(assets.STATIC.glob(assets.asset("portal.css").rsplit("/", 1)[1])).read_text(encoding="utf-8")
    greens = re.findall(r"--portal-button:(#[0-9a-f]{6})", style)

    assert len(greens) == 2
    assert all(1.05 / (luminance(green) + 0.05) >= 4.5 for green in greens)
