"""Writes docs/operating/settings.md from ``portal/platform/setting_texts.py``.

Run by ``make data-model``; a test compares the file with the code.
"""

from collections.abc import Iterable
from pathlib import Path

from portal.feature import Setting, insert_after, list_features
from portal.platform.secret_values import SECRETS
from portal.platform.setting_texts import PEOPLE, RUNNING, SIGN_IN, WATCHING, SettingGroup, SettingText

PAGE = Path(__file__).parent / "operating" / "settings.md"


def _text_of(setting: Setting) -> SettingText:
    return SettingText(setting.name, setting.meaning, setting.default, setting.example)


def _add_sections(groups: Iterable[SettingGroup]) -> list[SettingGroup]:
    """The groups, with those that features bring."""
    additions = [
        (each.after, SettingGroup(each.title, each.intro, tuple(map(_text_of, each.settings))))
        for feature in list_features()
        for each in feature.setting_sections
    ]
    return insert_after(groups, additions, lambda group: group.title)


def _with_features(group: SettingGroup) -> SettingGroup:
    """The group, with the settings of features that stand after one of it."""
    names = {text.name for text in group.settings}
    additions = []
    for each in (each for feature in list_features() for each in feature.settings):
        if each.after in names:
            names.add(each.name)  # after which another may stand
            additions.append((each.after, _text_of(each)))
    return group._replace(settings=tuple(insert_after(group.settings, additions, lambda text: text.name)))


GROUPS = tuple(map(_with_features, _add_sections((*RUNNING, *WATCHING, *PEOPLE, *SIGN_IN))))
HEAD = """\
# Settings

<!-- Written by `make data-model` from `portal/platform/setting_texts.py`. Change a text, then run it. -->

Settings come from the environment and are read once, at the start, in `config.py`. A setting that
is wrong stops the start with a sentence that says what to write; no sentence repeats a value. After
a change, restart the portal and its workers. `flask --app wsgi doctor` says what is wrong with a
set-up and what to do about it ([installing](install.md)).

Secrets can stand in files instead, so that they are in no unit, image or list of processes: set
`SECRET_KEY_FILE` to the path of a file of one line, and so for each setting marked *secret*. A
setting and its file together stop the start.

Keep `SECRET_KEY` apart from backups, and give every process of one portal the same. Whoever has
both the key and the database can read what is encrypted there.
"""


def draw() -> str:
    """The whole page."""
    return HEAD + "".join(_section(group) for group in GROUPS)


def _section(group: SettingGroup) -> str:
    intro = f"{group.intro}\n\n" if group.intro else ""
    columns = "| Setting | Meaning | If not set | Example |\n|---|---|---|---|\n"
    return f"\n## {group.title}\n\n{intro}{columns}" + "".join(_row(each) for each in group.settings)


def _row(text: SettingText) -> str:
    mark = " *secret*" if text.name in SECRETS else ""
    return f"| `{text.name}`{mark} | {text.meaning} | {text.default} | {text.example} |\n"


if __name__ == "__main__":
    PAGE.write_text(draw(), encoding="utf-8")
