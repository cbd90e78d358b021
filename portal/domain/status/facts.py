"""Reading all facts of many people at once, for the algebra."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from portal.domain.directives.assignments import AssignmentFact, assignments_of
from portal.domain.directives.audience import Version
from portal.domain.directives.fact_loader import fetch, posts_of
from portal.domain.directives.models import Exclusion
from portal.domain.records.models import Record, Registration, Revocation
from portal.domain.status.periods import PersonFacts
from portal.domain.status.rules import Earned, Excluded, Revoked, Rule, Started


def facts_of(people: Sequence[int], versions: Mapping[int, Version]) -> dict[int, PersonFacts]:
    """All ever recorded on these people, whatever is known of it when; six statements."""
    posts = posts_of(people)
    found = {person: PersonFacts(posts=posts[person]) for person in people}
    for person_id, assignments in assignments_of(people).items():
        for fact in assignments:
            version = versions[fact.stretch.directive_version_id]
            rule = rule_of(fact, version)
            found[person_id].assignments.setdefault(fact.directive_id, []).append((rule, version.id))
    _add_exclusions(found)
    _add_records(found)
    _add_starts(found)
    return found


def rule_of(fact: AssignmentFact, version: Version) -> Rule:
    """An assignment as the algebra wants it: with what its version says of validity."""
    return Rule(
        fact.id,
        fact.recorded_at,
        fact.void,
        fact.replaces_id,
        fact.stretch.from_on,
        fact.stretch.to_on,
        fact.stretch.due_on,
        version.validity_months,
        version.yearly_on,
        version.minimum_gap_months,
        version.expiring_days,
    )


def _add_exclusions(found: dict[int, PersonFacts]) -> None:
    e = Exclusion
    head = (e.id, e.recorded_at, e.void, e.replaces_id, e.from_on, e.to_on, e.exempt, e.due_on)
    query = select(*head, e.person_id, e.directive_id).where(e.person_id.in_(list(found)))
    for *values, person_id, directive_id in fetch(query):
        found[person_id].exclusions.setdefault(directive_id, []).append(Excluded(*values))


def _add_records(found: dict[int, PersonFacts]) -> None:
    r, v = Record, Revocation
    query = select(r.id, r.recorded_at, r.void, r.replaces_id, r.achieved_on, r.person_id, r.activity_id)
    for *values, person_id, activity_id in fetch(query.where(r.person_id.in_(list(found)))):
        found[person_id].records.setdefault(activity_id, []).append(Earned(*values))
    revoked = select(v.id, v.recorded_at, v.void, v.replaces_id, v.record_id, v.from_on, r.person_id)
    revoked = revoked.join(r, r.id == v.record_id).where(r.person_id.in_(list(found)))
    for *values, person_id in fetch(revoked):
        found[person_id].revocations.append(Revoked(*values))


def _add_starts(found: dict[int, PersonFacts]) -> None:
    g = Registration
    head = (g.id, g.recorded_at, g.void, g.replaces_id, g.started_on, g.person_id, g.activity_id)
    for *values, person_id, activity_id in fetch(select(*head).where(g.person_id.in_(list(found)))):
        found[person_id].starts.setdefault(activity_id, []).append(Started(*values))
