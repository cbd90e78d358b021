"""Colours of drawings, and the contrast between two of them. Pure functions."""

import re

Colour = tuple[int, int, int]  # red, green and blue, 0 to 255

NAMED: dict[str, Colour] = {"black": (0, 0, 0), "white": (255, 255, 255)}
_LONG = re.compile(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})")
_SHORT = re.compile(r"#([0-9a-f])([0-9a-f])([0-9a-f])")


def read_colour(text: str) -> Colour | None:
    """Read a colour; None if it is written in any other way than these.

    >>> read_colour("#14284B"), read_colour("#fff"), read_colour("white"), read_colour("url(#a)")
    ((20, 40, 75), (255, 255, 255), (255, 255, 255), None)
    """
    name = text.strip().lower()
    if name in NAMED:
        return NAMED[name]
    if match := _LONG.fullmatch(name):
        return int(match[1], 16), int(match[2], 16), int(match[3], 16)
    if match := _SHORT.fullmatch(name):
        return int(match[1], 16) * 17, int(match[2], 16) * 17, int(match[3], 16) * 17
    return None


def format_colour(colour: Colour) -> str:
    """Write a colour as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def contrast_ratio(one: Colour, other: Colour) -> float:
    """The contrast ratio of WCAG 2: 1 for equal colours, 21 for black and white."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linearise(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linearise(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
