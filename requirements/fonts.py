"""Makes the fonts of documents from those of Debian and Fontsource, reduced to what documents need.

``make fonts`` runs it from the project's root on a machine with Debian's ``apt-get`` and ``npm``, where a
font is to change. It fetches the packages that ``pyproject.toml`` names under ``[[tool.fonts]]``, with their
checksums; the same packages make the same bytes.
"""

import hashlib
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parents[1]
INTO = ROOT / "portal/platform/documents/fonts"
SOURCE_SANS = "usr/share/fonts/opentype/sourcesans3/SourceSans3-{}.otf"
NOTO = "usr/share/fonts/truetype/noto/NotoSans{}-Regular.ttf"
PLEX = "package/files/ibm-plex-sans-arabic-arabic-400-normal.woff2"
LICENCE = "package/LICENSE"  # of that package: a notice, then the words that hold for all of them
SCRIPTS = (
    "Armenian Bengali Devanagari Ethiopic Georgian Gujarati Gurmukhi Hebrew Kannada Khmer Lao Malayalam"
    " Myanmar Oriya Sinhala Tamil Telugu Thai"
).split()
# Their licence keeps the names “Source” and “Plex” for fonts that nobody changed.
RENAMED = {"Source Sans 3": "Portal Sans", "IBM Plex Sans Arabic": "Portal Sans Arabic"}
NAMES = (0, 1, 2, 3, 4, 5, 6, 13, 14)  # notice, names, version, licence and its address
BASES = set(range(0x20, 0x180))  # Latin letters that a mark may stand on, which the first font lacks
LEFT_OUT = {  # characters of whole blocks that no name has
    "Ethiopic": range(0x1380, 0x110000),
    "Symbols": range(0x2C00, 0x110000),
}


def fetch_packages(folder: Path) -> None:
    """Fetch the packages and unpack them into one folder.

    Raises:
        SystemExit: A package has another checksum than the one that is stated.
    """
    for package in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["fonts"]:
        target = Path(tempfile.mkdtemp(dir=folder))
        named, version = package["name"], package["version"]
        if package["registry"] == "deb":
            _run(target, "apt-get", "download", f"{named}={version}")
        else:
            _run(target, "npm", "pack", "--silent", f"{named}@{version}")
        (file,) = target.iterdir()
        if (found := hashlib.sha256(file.read_bytes()).hexdigest()) != package["sha256"]:
            raise SystemExit(f"{named} {version} has the checksum {found}, not {package['sha256']}.")
        unpack = (
            ["dpkg-deb", "-x", file, folder] if file.suffix == ".deb" else ["tar", "-xzf", file, "-C", folder]
        )
        _run(target, *unpack)


def _run(folder: Path, *words: str | Path) -> None:
    subprocess.run(words, cwd=folder, check=True, stdout=sys.stderr)  # noqa: S603 - words of this file


def make_fonts(folder: Path) -> list[str]:
    """Write all fonts; the notice of each licence."""
    notices, usual = set(), _characters_of(folder / SOURCE_SANS.format("Regular"))
    for style in ("Regular", "Bold", "It"):
        notices.add(_reduce_font(folder / SOURCE_SANS.format(style), f"PortalSans-{style}.otf", usual))
    arabic = _characters_of(folder / PLEX)
    notices.add(_reduce_font(folder / PLEX, "PortalSansArabic-Regular.ttf", arabic))
    had = {"": usual, "Arabic": usual | arabic | set(range(0x780, 0x110000)), "Symbols": usual}
    for script in ("", "Arabic", *SCRIPTS, "Symbols"):
        source = folder / NOTO.format(script)
        wanted = _characters_of(source) - had.get(script, set()) - set(LEFT_OUT.get(script, ()))
        wanted |= set() if script else BASES
        notices.add(_reduce_font(source, f"NotoSans{script}-Regular.ttf", wanted))
    return sorted(notices)


def _characters_of(path: Path) -> set[int]:
    with TTFont(path, lazy=True) as font:
        return set(font.getBestCmap())


def _reduce_font(source: Path, name: str, characters: Iterable[int]) -> str:
    """Write a font with these characters and the layout of their script, without hints; its notice."""
    options = subset.Options(hinting=False, name_IDs=NAMES, name_languages=[0x409], notdef_outline=True)
    with TTFont(source, recalcTimestamp=False) as font:
        maker = subset.Subsetter(options)
        maker.populate(unicodes=characters)
        maker.subset(font)
        _rename_font(font)
        font.flavor = None  # not compressed: the typesetter reads it as it is
        font.save(INTO / name)
        return str(font["name"].getDebugName(0))


def _rename_font(font: TTFont) -> None:
    for record in font["name"].names:
        if record.nameID in {1, 3, 4, 6}:
            text = record.toUnicode()
            for before, after in RENAMED.items():
                text = text.replace(before, after)
                text = text.replace(before.replace(" ", ""), after.replace(" ", ""))
            record.string = text
    if "CFF " in font:
        (inside,) = font["CFF "].cff.topDictIndex
        for field in ("FullName", "FamilyName"):
            if (text := inside.rawDict.get(field)) is not None:
                inside.rawDict[field] = text.replace("Source Sans 3", "Portal Sans")
        font["CFF "].cff.fontNames = [font["name"].getDebugName(6)]


def main() -> None:
    """Write fonts, licence and checksums."""
    for old in INTO.glob("*.[ot]tf"):
        old.unlink()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        fetch_packages(folder)
        notices = make_fonts(folder)
        words = (folder / LICENCE).read_text().partition("\n")[2].lstrip()
    fonts = sorted(INTO.glob("*.[ot]tf"))
    (INTO / "OFL.txt").write_text("\n".join([*notices, "", words]))
    lines = [f"{hashlib.sha256(font.read_bytes()).hexdigest()}  {font.name}\n" for font in fonts]
    (INTO / "SHA256SUMS").write_text("".join(lines))
    print(f"{len(fonts)} fonts, {sum(font.stat().st_size for font in fonts):,} bytes")


if __name__ == "__main__":
    main()
