"""Staff numbers: how one is kept however it was typed or copied, and which cannot be one. Pure."""

import re
import unicodedata
from collections.abc import Iterable

MOST_CHARACTERS = 50
# What nobody sees though it is no mark of format: joiners and fillers of scripts, and an empty Braille cell.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_TURNING = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)  # show letters in another order
_reserved: set[str] = set()


def reserve_numbers(names: Iterable[str]) -> None:
    """Have no person called as these pages are: the application says at its start which it has."""
    _reserved.clear()
    _reserved.update(names)


def fold_staff_number(text: str) -> str:
    r"""The number as the portal keeps it: with plain letters for wide ones, and without what nobody sees.

    What turns the order of letters stays: such a number is refused, for it shows another one.

    >>> fold_staff_number(" Ｄ９００１"), fold_staff_number("D\u200b90\u00ad01")
    ('D9001', 'D9001')
    """
    if text.isascii():
        return text.strip()
    plain = unicodedata.normalize("NFKC", text)
    kept = (
        letter
        for letter in _UNSEEN.sub("", plain)
        if letter in _TURNING or unicodedata.category(letter) != "Cf"
    )
    return unicodedata.normalize("NFKC", "".join(kept)).strip()


def find_number_faults(number: str) -> list[str]:
    """Why nobody can have this staff number; empty if somebody can, or if there is none."""
    shown = "".join(letter if letter.isprintable() else "�" for letter in number[:MOST_CHARACTERS])
    faults = []
    if len(number) > MOST_CHARACTERS:
        faults.append(f"staff_number has more than {MOST_CHARACTERS} characters.")
    if "/" in number:
        faults.append(f"staff_number {shown!r} has a “/” in it, which cannot be part of a page's address.")
    if number in _reserved:
        faults.append(f"staff_number {number!r} is the address of a page.")
    if number and not number.strip("."):
        faults.append(f"staff_number {shown!r} has nothing but dots in it.")
    if not number.isprintable() or number != fold_staff_number(number):
        faults.append(f"staff_number {shown!r} has letters in it that nobody sees. Type it anew.")
    return faults
