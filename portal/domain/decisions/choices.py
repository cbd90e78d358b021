"""What a request about a person can be about: the choices of its form, each with its wish."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from portal.domain.decisions import labels
from portal.domain.decisions.queries import activity_titles
from portal.domain.directives.models import Directive, DirectiveVersion, Exclusion
from portal.domain.people.as_of import is_known_fact
from portal.domain.records.queries import RecordRow, list_records, list_revocations
from portal.domain.status.queries import asked_of, wholes_of
from portal.platform.db import db
from portal.platform.wording import date as say_date


@dataclass(frozen=True, slots=True)
class RequestChoice:
    """One thing that can be asked about; ``ids`` are columns of the request."""

    key: str
    label: str
    hint: str
    ids: dict[str, int]
    since: date | None = None  # of a record: when it was achieved


def list_choices(kind: str, person_id: int, today: date) -> list[RequestChoice]:
    """What a request of this kind can be about; a few statements, however much there is."""
    return _OFFERS[kind](person_id, today)


def _list_directives(person_id: int, today: date) -> list[RequestChoice]:
    """Every directive that is not withdrawn, those that reach the person first."""
    v = DirectiveVersion
    rows = db.session.execute(
        select(Directive.id, Directive.reference, v.title, v.withdrawn)
        .join(v, v.directive_id == Directive.id)
        .where(is_known_fact(v))
        .order_by(Directive.reference, v.number)
    )
    newest = {reference: (i, title, withdrawn) for i, reference, title, withdrawn in rows}
    stands = {one.directive: one for one in wholes_of(person_id, today)}
    found = []
    for reference, (directive_id, title, withdrawn) in newest.items():
        held = stands.get(reference)
        if withdrawn and held is None:
            continue
        hint = (
            f"{held.status.label}, due on {say_date(held.due_on)}" if held else "Asks nothing of them today"
        )
        found.append(RequestChoice(reference, f"{reference}: {title}", hint, {"directive_id": directive_id}))
    return sorted(found, key=lambda offer: offer.key not in stands)


def _list_requirements(person_id: int, today: date) -> list[RequestChoice]:
    asked = {one.activity_id: one for one in reversed(asked_of(person_id, today))}
    titles = activity_titles(asked)
    return [
        RequestChoice(
            f"{one.kind}-{one.key}",
            titles[activity_id],
            f"Directive {one.directive} · {one.status.label}",
            {"activity_id": activity_id},
        )
        for activity_id, one in reversed(asked.items())
    ]


def _list_records(person_id: int, today: date) -> list[RequestChoice]:
    held = list_records(person_id)
    revoked = {one.record_id for one in list_revocations([row.id for row in held])}
    return [_record_choice(row, {}) for row in held if row.id not in revoked]


def _list_revoked_records(person_id: int, today: date) -> list[RequestChoice]:
    held = {row.id: row for row in list_records(person_id)}
    gone = list_revocations(list(held))
    return [_record_choice(held[one.record_id], {"revocation_id": one.id}) for one in gone]


def _record_choice(row: RecordRow, more: dict[str, int]) -> RequestChoice:
    hint = f"Achieved on {say_date(row.achieved_on)} · reference {row.reference}"
    ids = {"record_id": row.id, "activity_id": row.activity_id, **more}
    return RequestChoice(row.reference, labels.short_title(row.title), hint, ids, row.achieved_on)


def _list_exclusions(person_id: int, today: date) -> list[RequestChoice]:
    e, kind = Exclusion, "exemption"  # both kinds have the same reasons
    rows = db.session.execute(
        select(e, Directive.reference)
        .join(Directive, Directive.id == e.directive_id)
        .where(e.person_id == person_id, is_known_fact(e))
        .order_by(e.from_on.desc(), e.id.desc())
    )
    return [
        RequestChoice(
            str(row.id),
            f"{'Exemption from' if row.exempt else 'Deferral under'} {reference}",
            f"From {say_date(row.from_on)} {labels.until_words(row.to_on)}"
            f" · {labels.reason_label(kind, row.reason)}",
            {"exclusion_id": row.id, "directive_id": row.directive_id},
        )
        for row, reference in rows
    ]


_OFFERS: dict[str, Callable[[int, date], list[RequestChoice]]] = {
    "exemption": _list_directives,
    "deferral": _list_directives,
    "waiver": _list_requirements,
    "revocation": _list_records,
    "lift": _list_exclusions,
    "restore": _list_revoked_records,
}
