"""The fictional force's plan to collect, analyse and share: published, past its review, written anew."""

from datetime import date, timedelta
from functools import partial
from random import Random

from portal.domain.catalogue.publishing import current_guide
from portal.domain.records.services import record_acknowledgement
from portal.feature import ForceInMaking
from portal.features.force_plan.services import (
    GUIDE_KEY,
    begin_plan,
    open_plan_proposal,
    plan_template,
    publish_plan,
    save_section,
    send_plan,
)
from portal.platform.clock import london_day, noon
from portal.platform.db import stamp

WRITER, READER = "D4001", "D6001"  # the directive owner and the auditor
WRITTEN_BEFORE = timedelta(days=350)  # before the day on which the demo is made
PUBLISHED_AFTER = timedelta(days=5)
REVIEWED_AFTER = timedelta(days=335)
BEGUN_BEFORE = timedelta(days=3)
ANSWERS = {
    "first_contact": (
        "Call handlers ask every caller, in this order (a made-up example):\n"
        "- where exactly, and how the caller knows\n"
        "- how many people, and whether anyone is hurt, cold or short of air\n"
        "- the vehicle: make, colour, plates, and which way it went\n"
        "- who else is there, and who is waiting\n"
        "Front-counter staff ask the same. The answers go into the log of Westlog (a made-up system)."
    ),
    "arrival": (
        "After life and safety, what goes cold first:\n"
        "- who is waiting, where, in what, on which number\n"
        "- what each person says of the way so far and of who was paid\n"
        "- all plates, seals, papers, and which devices are there\n"
        "Words are written down as they were said, with who said them."
    ),
    "custody": (
        "Custody staff note who asks after a detained person, and which numbers they give.\n"
        "Investigators ask for routes, payments, vehicles and places to stay.\n"
        "Devices: instruction W-31 (made up)."
    ),
    "analysed_by": "The intelligence desk at Headquarters. The duty intelligence sergeant stands in.",
    "analysed_how_often": (
        "Each report on the next working day. All of them together on the first Tuesday of a month."
    ),
    "looked_for": "Plates, numbers, addresses and names of firms that come up again.",
    "force_intelligence": "Form W-20 in Westintel (made up), graded 3x5x2, in the same shift.",
    "rocu": (
        "What points beyond Westshire, sent by the intelligence desk each Friday; if there is danger, now."
    ),
    "nccu": (
        "Form W-12 (made up), every time a case is reported, by the reporting officer.\n"
        "The sergeant of the shift checks that it went."
    ),
    "back": "A line in the weekly briefing: what was found, and what to ask next.",
    "owner": "Head of Intelligence, Westshire (made up)",
    "reviewed_by": "The serious and organised crime meeting, each autumn.",
    "measured_by": "Reports to NCCU and documents submitted, counted each month.",
    "in_one_line": (
        "ask who waits, where, in what and on which number; it goes to the intelligence desk (made up)"
    ),
    "document_route": "the mailbox “NCCU documents”, read day and night (made up)",
    "regional_contact": "intelligence desk, 01632 960110, makes the contact for you (a made-up number)",
}


def schedule_plan(force: ForceInMaking) -> None:
    """Add what happens with the plan to the evenings of the days; the recommendation is published before."""
    people, days = force.people, force.days
    written_on = force.today - WRITTEN_BEFORE
    days[written_on].append(partial(_write_first_plan, people[WRITER]))
    days[written_on + PUBLISHED_AFTER].append(partial(_publish_plan, people[READER]))
    days[force.today - BEGUN_BEFORE].append(partial(_begin_second_plan, people[WRITER]))


def _write_first_plan(writer: int) -> None:
    at = stamp()
    proposal_id = begin_plan(by=writer, at=at)
    for section in plan_template().sections:
        save_section(proposal_id, section.key, ANSWERS, by=writer, at=at)
    review_on = london_day(at) + REVIEWED_AFTER
    send_plan(
        proposal_id, note="The first plan, as the meeting agreed it.", review_on=review_on, by=writer, at=at
    )


def _publish_plan(reader: int) -> None:
    proposal = open_plan_proposal()
    if proposal is not None:
        publish_plan(proposal.id, by=reader, at=stamp())


def _begin_second_plan(writer: int) -> None:
    at = stamp()
    proposal_id = begin_plan(by=writer, at=at)
    shared = ANSWERS | {"rocu": f"{ANSWERS['rocu']}\nThe desk calls back within two working days."}
    save_section(proposal_id, "share", shared, by=writer, at=at)


# Who of the fictional force acknowledged the guides that its assurance desk counts, and on which day.

CHECKLIST, CHECKLIST_ON = "intelligence-document", date(2026, 1, 19)
SHARES = {GUIDE_KEY: 0.87, CHECKLIST: 0.68}  # of the people who are there
SLOWEST = 300  # days that the last of them takes


def schedule_reading(force: ForceInMaking) -> None:
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
