"""Colours as drawings write them, and the contrast between two of them. Pure."""

import re

Colour = tuple[int, int, int]  # red, green and blue, 0 to 255

NAMED: dict[str, Colour] = {"black": (0, 0, 0), "white": (255, 255, 255)}
_LONG = re.compile(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})")
_SHORT = re.compile(r"#([0-9a-f])([0-9a-f])([0-9a-f])")


def read_colour(text: str) -> Colour | None:
    """The colour that is written; None where it is written in another way than these.

    >>> read_colour("#14284B"), read_colour("#fff"), read_colour("white"), read_colour("url(#a)")
    ((20, 40, 75), (255, 255, 255), (255, 255, 255), None)
    """
    said = text.strip().lower()
    if said in NAMED:
        return NAMED[said]
    if found := _LONG.fullmatch(said):
        return int(found[1], 16), int(found[2], 16), int(found[3], 16)
    if found := _SHORT.fullmatch(said):
        return int(found[1], 16) * 17, int(found[2], 16) * 17, int(found[3], 16) * 17
    return None


def shown(colour: Colour) -> str:
    """The colour as it is written in a drawing."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def contrast(one: Colour, other: Colour) -> float:
    """The ratio of WCAG 2: 1 where both are the same, 21 between black and white."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
