"""The fonts of documents, and the characters that none of them has.

Those of this folder are the same on every machine: ``requirements/fonts.py`` makes them. Those for Chinese,
Japanese, Korean and emoji are too large for it, and come from Debian's packages where these are installed.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

from fontTools.ttLib import TTFont

REPLACEMENT = "\ufffd"  # shown in place of a character that no font has; Noto Sans has this one
FOLDER = Path(__file__).parent
# Files of Debian's packages, by the name of the package.
SYSTEM_FONTS = {
    "fonts-noto-cjk": Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    "fonts-symbola": Path("/usr/share/fonts/truetype/ancient-scripts/Symbola_hint.ttf"),
}
# Tried in this order for each character, and for a letter with its marks: the first that has it is used.
# Arabic comes from Plex, whose letters are one glyph each: a reader that knows nothing of ActualText takes
# Noto's dots for letters.
FAMILIES = (
    "Portal Sans",
    "Portal Sans Arabic",
    "Noto Sans",
    "Noto Sans CJK SC",
    *(
        f"Noto Sans {script}"
        for script in (
            "Arabic Armenian Bengali Devanagari Ethiopic Georgian Gujarati Gurmukhi Hebrew Kannada Khmer Lao"
            " Malayalam Myanmar Oriya Sinhala Symbols Tamil Telugu Thai"
        ).split()
    ),
    "Symbola",
)
_USUAL = FOLDER / "PortalSans-Regular.otf"
# Unicode's default-ignorable characters and line ends: the typesetter draws nothing for them, in any font.
_UNDRAWN = re.compile(
    "[\x85\u2028\u2029\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2060-\u2064"
    "\u206a-\u206f\u3164\ufe00-\ufe0f\uffa0\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# PDF/UA refuses the first. The others change the direction of the text after them, such as a staff number
# beside a name: a document shows where they were.
_NEVER = frozenset("\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def font_folders(text: str) -> list[str]:
    """Folders that the typesetter loads fonts from, for this text; of those it uses ``FAMILIES`` alone.

    Debian's are looked through, a fifth of a second, only where a character is unusual.
    """
    if _usual_characters().issuperset(text):
        return [str(FOLDER)]
    return [str(FOLDER), *(str(path.parent) for path in SYSTEM_FONTS.values() if path.is_file())]


def list_missing_packages() -> list[str]:
    """Debian's packages of fonts that are not installed here: their characters are replaced."""
    return [package for package, path in SYSTEM_FONTS.items() if not path.is_file()]


def undrawable_letters(text: str) -> frozenset[str]:
    """Characters, and letters with combining marks, that no font can draw."""
    unusual = frozenset(text) - _usual_characters()
    if not unusual:
        return unusual
    marks = "".join(re.escape(one) for one in sorted(set(text)) if is_mark(one) or _UNDRAWN.match(one))
    marked = re.findall(f"[^\n{marks}][{marks}]+", text) if marks else ()
    return _in_no_font(unusual | {letter for letter in set(marked) if not unusual.isdisjoint(letter)})


def is_mark(character: str) -> bool:
    """Whether it is shown on the character before it."""
    return unicodedata.category(character).startswith("M")


@lru_cache(maxsize=64)
def _in_no_font(letters: frozenset[str]) -> frozenset[str]:
    never = frozenset(letter for letter in letters if not _NEVER.isdisjoint(letter))
    missing = letters - never - {letter for letter in letters if not _UNDRAWN.sub("", letter)}
    for path in sorted(_font_files(), key=lambda path: path.stat().st_size):  # small files first
        if not missing:
            break
        missing = _letters_not_drawn(_characters_of_font(path), missing)
    return missing | never


def _letters_not_drawn(known: frozenset[str], letters: Iterable[str]) -> frozenset[str]:
    """The letters that a font with the characters ``known`` cannot draw."""
    drawn = {letter: _UNDRAWN.sub("", letter) for letter in letters}
    return frozenset(
        letter
        for letter, seen in drawn.items()
        if not known.issuperset(seen) and not known.issuperset(unicodedata.normalize("NFC", seen))
    )


@cache
def _usual_characters() -> frozenset[str]:
    """The characters of the first font: few texts have others."""
    return _characters_of_font(_USUAL) - _NEVER | {"\n"}


def _font_files() -> list[Path]:
    return [*FOLDER.glob("*.[ot]tf"), *(path for path in SYSTEM_FONTS.values() if path.is_file())]


def _characters_of_font(path: Path) -> frozenset[str]:
    """The characters of a font's file; the fonts of a collection have the same ones."""
    with TTFont(path, lazy=True, fontNumber=0) as font:
        return frozenset(map(chr, font.getBestCmap()))
