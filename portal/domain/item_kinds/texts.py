"""Texts that a learner types beside an answer."""

import re

from portal.domain.item_kinds.base import FormValues

_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")  # a database refuses some of them


def typed_text(sent: FormValues, name: str) -> str:
    """What was typed into the control ``name``, without what cannot be seen."""
    return normalise_text(_INVISIBLE.sub("", (sent.get(name) or [""])[0]))


def length_error(text: str, most: int) -> str:
    """What to say where the text is longer than ``most`` characters; empty where it is not."""
    if len(text) <= most:
        return ""
    return f"Keep this under {most:,} characters. You have written {len(text):,}"


def normalise_text(value: str | None) -> str:
    """A text as it goes into a file: LF alone, nothing around it."""
    return (value or "").replace("\r\n", "\n").replace("\r", "\n").strip()
