"""Who of the fictional force acknowledged the guides that its assurance desk counts, and on which day."""

from datetime import date, timedelta
from functools import partial
from random import Random

from portal.domain.catalogue.publishing import current_guide
from portal.domain.records.services import record_acknowledgement
from portal.feature import DemoForce
from portal.features.assurance.demo.plan import PUBLISHED_AFTER, WRITTEN_BEFORE
from portal.features.assurance.plan import GUIDE_KEY
from portal.platform.clock import noon

CHECKLIST, CHECKLIST_ON = "intelligence-document", date(2026, 1, 19)
SHARES = {GUIDE_KEY: 0.87, CHECKLIST: 0.68}  # of the people who are there
SLOWEST = 300  # days that the last of them takes


def schedule_reading(force: DemoForce) -> None:
    """Add each acknowledgement to its day: most come soon, and each while its reader is in post.

    People with sign-ins acknowledge nothing. No other part of anybody's history changes.
    """
    begins = {GUIDE_KEY: force.today - WRITTEN_BEFORE + PUBLISHED_AFTER, CHECKLIST: CHECKLIST_ON}
    for person in force.planned:
        if person.staff_number.startswith("D"):
            continue
        for key, share in SHARES.items():
            luck = Random(f"{key} {person.staff_number}")  # noqa: S311 - a repeatable force, not a secret
            since, until = max(person.posts[0].since, begins[key]), min(person.posts[-1].until, force.today)
            day = since + timedelta(days=1 + round(SLOWEST * luck.random() ** 3))
            if luck.random() < share and day <= until:
                reader = force.people[person.staff_number]
                force.days[day].append(partial(_record_acknowledgement, reader, key, day))


def _record_acknowledgement(person_id: int, key: str, day: date) -> None:
    guide = current_guide(key)
    if guide is not None:
        record_acknowledgement(person_id, guide, noon(day))
