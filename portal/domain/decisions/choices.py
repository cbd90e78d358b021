"""The choices of a request's form: what a request about a person can concern."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from portal.domain.decisions import labels
from portal.domain.decisions.queries import activity_titles
from portal.domain.directives.models import Directive, DirectiveVersion, Exclusion
from portal.domain.people.as_of import is_known_fact
from portal.domain.records.descriptions import achieved_label
from portal.domain.records.queries import RecordRow, list_records, list_revocations
from portal.domain.status.queries import directive_statuses, requirements_of
from portal.platform.db import db
from portal.platform.wording import date as say_date


@dataclass(frozen=True, slots=True)
class RequestChoice:
    """One choice; ``ids`` are columns of the request."""

    key: str
    label: str
    hint: str
    ids: dict[str, int]
    since: date | None = None  # the day on which a record was achieved


def list_choices(kind: str, person_id: int, today: date) -> list[RequestChoice]:
    """The choices for a request of this kind; a fixed number of statements."""
    return _LISTS[kind](person_id, today)


def _list_directives(person_id: int, today: date) -> list[RequestChoice]:
    """Every directive that is not withdrawn; first those that apply to the person."""
    v = DirectiveVersion
    rows = db.session.execute(
        select(Directive.id, Directive.reference, v.title, v.withdrawn)
        .join(v, v.directive_id == Directive.id)
        .where(is_known_fact(v))
        .order_by(Directive.reference, v.number)
    )
    newest = {reference: (i, title, withdrawn) for i, reference, title, withdrawn in rows}
    statuses = {status.directive: status for status in directive_statuses(person_id, today)}
    choices = []
    for reference, (directive_id, title, withdrawn) in newest.items():
        current = statuses.get(reference)
        if withdrawn and current is None:
            continue
        hint = (
            f"{current.status.label}, due on {say_date(current.due_on)}"
            if current
            else "Does not apply to them today"
        )
        choices.append(
            RequestChoice(reference, f"{reference}: {title}", hint, {"directive_id": directive_id})
        )
    return sorted(choices, key=lambda choice: choice.key not in statuses)


def _list_requirements(person_id: int, today: date) -> list[RequestChoice]:
    requirements = {
        requirement.activity_id: requirement for requirement in reversed(requirements_of(person_id, today))
    }
    titles = activity_titles(requirements)
    return [
        RequestChoice(
            f"{requirement.kind}-{requirement.key}",
            titles[activity_id],
            f"Directive {requirement.directive} · {requirement.status.label}",
            {"activity_id": activity_id},
        )
        for activity_id, requirement in reversed(requirements.items())
    ]


def _list_records(person_id: int, today: date) -> list[RequestChoice]:
    records = list_records(person_id)
    revoked = {revocation.record_id for revocation in list_revocations([row.id for row in records])}
    return [_record_choice(row, {}) for row in records if row.id not in revoked]


def _list_revoked_records(person_id: int, today: date) -> list[RequestChoice]:
    records = {row.id: row for row in list_records(person_id)}
    revocations = list_revocations(list(records))
    return [
        _record_choice(records[revocation.record_id], {"revocation_id": revocation.id})
        for revocation in revocations
    ]


def _record_choice(row: RecordRow, other_ids: dict[str, int]) -> RequestChoice:
    hint = f"{achieved_label(row)} on {say_date(row.achieved_on)} · reference {row.reference}"
    ids = {"record_id": row.id, "activity_id": row.activity_id, **other_ids}
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


_LISTS: dict[str, Callable[[int, date], list[RequestChoice]]] = {
    "exemption": _list_directives,
    "deferral": _list_directives,
    "waiver": _list_requirements,
    "revocation": _list_records,
    "lift": _list_exclusions,
    "restore": _list_revoked_records,
}
