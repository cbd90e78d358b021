"""The one colour that a force may choose: the ground of the header and the edge of what stands out."""

import re

DEFAULT = "#14284b"
LEAST_CONTRAST = 4.5  # white text on the colour, as WCAG 2.2 asks at level AA


class BrandColourError(ValueError):
    """The colour is not one, or white text on it cannot be read."""


def contrast_with_white(colour: str) -> float:
    """The contrast of white text on ``colour`` (#rrggbb), from 1 to 21.

    >>> round(contrast_with_white("#14284b"), 1), contrast_with_white("#ffffff")
    (14.6, 1.0)
    """
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def check_colour(colour: str) -> str:
    """The colour, in small letters, if white text on it can be read.

    Raises:
        BrandColourError: With a sentence that says what to change.
    """
    colour = colour.strip().lower()
    if not re.fullmatch(r"#[0-9a-f]{6}", colour):
        raise BrandColourError("The brand colour is written as # and six digits, such as #14284b.")
    measured = contrast_with_white(colour)
    if measured < LEAST_CONTRAST:
        # Cut, not rounded, so that a colour just below the limit is not said to reach it.
        shown = int(measured * 10) / 10
        raise BrandColourError(
            f"The brand colour {colour} is too light: white on it has a contrast of {shown}, "
            f"and {LEAST_CONTRAST} is needed."
        )
    return colour


def style_sheet(colour: str) -> str:
    """The style sheet that replaces the portal's colour with ``colour``."""
    return f":root{{--portal-brand:{colour}}}\n"
