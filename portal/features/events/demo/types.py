"""The demo's event type, and the directive that asks supervisors in three roles to attend an event of it."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

from config import ROOT
from portal.domain.catalogue import publishing
from portal.domain.catalogue.other_sources import EVENT_TYPE_FILES
from portal.domain.directives import services as directives
from portal.feature import ForceInMaking
from portal.features.events.places import instant_in_london
from portal.platform import clock
from portal.platform.db import transaction

EVENT_TYPES = ROOT / "event_types"
SUPERVISORS = ("response", "contact", "investigation")  # whose supervisors the package is for
RANKS = ("Sergeant", "Detective Sergeant", "Inspector")
NOTICE = timedelta(days=90)  # from today to the due date


def require_hydra(effective_on: date, due_on: date, folder: Path = EVENT_TYPES) -> None:
    """Publish the event types, and issue the directive, on the morning it takes effect.

    Edge only, in no transaction, when nothing later than that morning is recorded.
    """
    at = instant_in_london(effective_on, time(9))
    with transaction(stamp_as=at):
        publish_types(folder, at)
    with transaction(stamp_as=at + timedelta(minutes=1)):
        directives.issue_toml(hydra_directive(effective_on, due_on), at=at)


def publish_types(folder: Path = EVENT_TYPES, at: datetime | None = None) -> None:
    """Publish the folder, now if no instant is given; what is published already stays as it is."""
    for source in EVENT_TYPE_FILES.check_path(folder):
        publishing.publish_event_type(source, at=at or clock.now(), by=None)


def publish_again(_force: ForceInMaking) -> None:
    """Publish the folder in a force that is there."""
    publish_types()


def hydra_directive(effective_on: date, due_on: date) -> bytes:
    """The directive as its owner would write it in a file."""
    roles, ranks = (", ".join(f'"{name}"' for name in names) for names in (SUPERVISORS, RANKS))
    return f"""reference = "OIC-HYDRA-2026"
title = "Supervisors attend the OIC Hydra package"
source = "Inspection recommendation: an immersive package for supervisors"
wording = "Every supervisor in response, contact and investigation attends the OIC Hydra package."
owner = "D4001"
effective_on = {effective_on.isoformat()}
target = 1.0
notice_days = [30, 7]
expiring_days = 60

[due]
on = {due_on.isoformat()}
days_after_joining = 90

[[audience]]
designated_role = [{roles}]
rank_or_grade = [{ranks}]

[[requirement]]
kind = "event"
key = "oic-hydra"
""".encode()
