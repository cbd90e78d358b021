"""Guides with a reader's acknowledgements, and the places where force settings are shown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.domain.catalogue.models import GuideVersion
from portal.domain.catalogue.other_sources import GuideSection, guide_sections
from portal.domain.catalogue.publishing import current_guide, current_guides
from portal.domain.catalogue.version_cache import published_modules, shared_content
from portal.domain.people.positions import is_known_fact
from portal.domain.records import services as records
from portal.domain.records.models import Acknowledgement, Record
from portal.platform.db import db
from portal.platform.errors import RuleError, require

_SETTING = re.compile(r"\{\{force:([^{}]*)\}\}")


@dataclass(frozen=True, slots=True)
class GuideAcknowledgement:
    """A person's confirmation that they have read a guide."""

    reference: str
    at: datetime
    number: int  # of the version read


@dataclass(frozen=True, slots=True)
class Guide:
    """A guide's newest version, with its reader's newest acknowledgement of the guide."""

    version: GuideVersion
    acknowledgement: GuideAcknowledgement | None

    @property
    def needs_acknowledgement(self) -> bool:
        """Whether the reader has yet to acknowledge this version."""
        latest = self.acknowledgement
        return self.version.acknowledge and (latest is None or latest.number < self.version.number)

    @property
    def sections(self) -> list[GuideSection]:
        """The sections of the guide in order."""
        return guide_sections(self.version.title, self.version.html)


def guides_for(person_id: int) -> Sequence[Guide]:
    """Return every published guide by title. Two statements."""
    acknowledgements = _newest_acknowledgements(person_id)
    return [Guide(version, acknowledgements.get(version.activity_id)) for version in current_guides()]


def guide_for(person_id: int, key: str) -> Guide:
    """Return one guide."""
    version = require(current_guide(key), "There is no such guide.")
    return Guide(version, _newest_acknowledgements(person_id, version.activity_id).get(version.activity_id))


def _newest_acknowledgements(
    person_id: int, activity_id: int | None = None
) -> dict[int, GuideAcknowledgement]:
    """Return the person's newest acknowledgement of each guide, by activity."""
    statement = (
        select(Record.activity_id, Record.reference, Record.achieved_at, GuideVersion.number)
        .join(Acknowledgement, Acknowledgement.record_id == Record.id)
        .join(GuideVersion, GuideVersion.id == Acknowledgement.guide_version_id)
        .where(Record.person_id == person_id, is_known_fact(Record))
        .order_by(Record.id)
    )
    if activity_id is not None:
        statement = statement.where(Record.activity_id == activity_id)
    rows = db.session.execute(statement)
    return {activity: GuideAcknowledgement(reference, at, number) for activity, reference, at, number in rows}


@dataclass(frozen=True, slots=True)
class SettingUse:
    """A page that shows a force setting."""

    title: str
    parent_title: str  # of the module; "Guide" for a guide
    address: str


_STATEMENTS = {  # by the first word of the settings that they show
    "accessibility": SettingUse("Accessibility statement", "Statement", "/accessibility"),
    "privacy": SettingUse("Privacy", "Statement", "/privacy"),
}


def uses_of_settings() -> dict[str, list[SettingUse]]:
    """Return the pages of the newest versions that show each setting, modules first. Six statements."""
    uses: dict[str, list[SettingUse]] = {}
    for version in published_modules():
        at = f"/learning/modules/{version.activity.key}"
        for lesson in version.lessons:
            _add_uses(
                uses, lesson.html, SettingUse(lesson.title, version.title, f"{at}/lessons/{lesson.key}")
            )
        for sheet, title, html in (
            ("job-aid", version.job_aid_title, version.job_aid_html),
            ("briefing", version.briefing_title, version.briefing_html),
        ):
            _add_uses(uses, html or "", SettingUse(title or "", version.title, f"{at}/{sheet}"))
        items = "".join(f"{item.prompt_html} {item.stimulus_html} {item.content}" for item in version.items)
        _add_uses(uses, items, SettingUse("Questions of the assessment", version.title, at))
    for guide in current_guides():
        _add_uses(uses, guide.html, SettingUse(guide.title, "Guide", f"/guides/{guide.activity.key}"))
    for key in shared_content().settings:
        if statement := _STATEMENTS.get(key.partition("_")[0]):
            uses.setdefault(key, []).append(statement)
    return uses


def _add_uses(uses: dict[str, list[SettingUse]], html: str, use: SettingUse) -> None:
    for key in dict.fromkeys(_SETTING.findall(html)):
        uses.setdefault(key, []).append(use)


# Acknowledgement of guides.


def acknowledge_guide(person_id: int, key: str, number: int, *, at: datetime) -> str:
    """Record that a person has read version ``number`` of a guide. Repeat-safe within one day.

    Args:
        person_id: The reader.
        key: The guide's key.
        number: The version that the reader was shown.
        at: Now, by the clock.

    Returns:
        The record's reference.
    """
    guide = guide_for(person_id, key)
    if not guide.version.acknowledge:
        raise RuleError("You do not have to acknowledge this guide. Nothing was recorded.")
    if number != guide.version.number:
        raise RuleError("A newer version of this guide was published. Read it, then acknowledge it.")
    return records.record_acknowledgement(person_id, guide.version, at)
