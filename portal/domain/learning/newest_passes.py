"""A person's newest pass of a module, for its certificate and its page."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import Activity, ModuleVersion
from portal.domain.people.as_of import is_known_fact
from portal.domain.records.models import PassRecord, Record, Revocation
from portal.platform.db import read

_REVOKED = select(Revocation.id).where(Revocation.record_id == Record.id, is_known_fact(Revocation))
_FIRST = aliased(Record)  # a correction keeps the reference, and the pass of the row before it
_VERSION = (
    select(ModuleVersion.number)
    .join(PassRecord, PassRecord.module_version_id == ModuleVersion.id)
    .join(_FIRST, _FIRST.id == PassRecord.record_id)
    .where(_FIRST.reference == Record.reference)
    .correlate(Record)
    .scalar_subquery()
)
_NEWEST_PASS = (
    select(Record.reference, Record.achieved_at, _VERSION)
    .join(Activity, Activity.id == Record.activity_id)
    .where(
        Record.person_id == bindparam("person_id"),
        is_known_fact(Record),
        Activity.kind == "module",
        Activity.key == bindparam("slug"),
        ~_REVOKED.correlate(Record).exists(),
    )
    .order_by(Record.achieved_at.desc(), Record.id.desc())
    .limit(1)
)


class NewestPass(NamedTuple):
    """The newest pass of a module, as its page shows it."""

    reference: str
    achieved_at: datetime
    version: int | None  # its number; None: of another source


def read_newest_pass(person_id: int, slug: str) -> NewestPass | None:
    """Return the person's newest record for this module that is not revoked. One statement."""
    rows = read(_NEWEST_PASS, {"person_id": person_id, "slug": slug})
    return NewestPass(*rows[0]) if rows else None
