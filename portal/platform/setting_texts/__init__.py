"""What each setting means; ``make data-model`` writes docs/operating/settings.md from it."""

from typing import NamedTuple


class SettingText(NamedTuple):
    """A setting: its name, its meaning, what holds where it is not set, and an example; as Markdown."""

    name: str
    meaning: str
    default: str
    example: str


class SettingGroup(NamedTuple):
    """Settings that belong together, with a sentence before them; "" for none."""

    title: str
    intro: str
    settings: tuple[SettingText, ...]
