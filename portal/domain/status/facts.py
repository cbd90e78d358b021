"""Loads every fact about many people at once, for the rules of status."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from portal.domain.directives.assignments import AssignmentFact, load_assignments
from portal.domain.directives.audience import AudienceVersion
from portal.domain.directives.fact_loader import fetch_tuples, load_posts
from portal.domain.directives.models import Exclusion
from portal.domain.directives.pending import ALL_KNOWN, NOTHING_PENDING, PendingFacts
from portal.domain.records.models import Record, Registration, Revocation
from portal.domain.status.periods import PersonFacts
from portal.domain.status.rules import AssignmentRule, Earned, Excluded, Revoked, Started

FactsByPerson = dict[int, PersonFacts]


def load_facts(
    people: Sequence[int], versions: Mapping[int, AudienceVersion], pending: PendingFacts = NOTHING_PENDING
) -> FactsByPerson:
    """Every fact ever recorded about these people, whenever it was known; six statements.

    Args:
        people: Ids.
        versions: Every directive version by its id.
        pending: Facts to add that are not recorded yet.
    """
    posts = load_posts(people, pending)
    facts = {person: PersonFacts(posts=posts[person]) for person in people}
    for assignments in load_assignments(people).values():
        for assignment in assignments:
            add_assignment(facts, assignment, versions)
    _add_exclusions(facts)
    _add_records(facts, pending)
    _add_starts(facts)
    return facts


def add_assignment(
    facts: FactsByPerson, fact: AssignmentFact, versions: Mapping[int, AudienceVersion]
) -> None:
    """Add an assignment, with what its version says of validity."""
    version, terms = versions[fact.terms.directive_version_id], fact.terms
    rule = AssignmentRule(
        fact.id,
        fact.recorded_at,
        fact.void,
        fact.replaces_id,
        terms.from_on,
        terms.to_on,
        terms.due_on,
        version.id,
        version.validity_months,
        version.yearly_on,
        version.minimum_gap_months,
        version.expiring_days,
    )
    facts[fact.person_id].assignments.setdefault(fact.directive_id, []).append(rule)


def _add_exclusions(facts: FactsByPerson) -> None:
    e = Exclusion
    head = (e.id, e.recorded_at, e.void, e.replaces_id, e.from_on, e.to_on, e.exempt, e.due_on)
    query = select(*head, e.person_id, e.directive_id).where(e.person_id.in_(list(facts)))
    for *values, person_id, directive_id in fetch_tuples(query):
        facts[person_id].exclusions.setdefault(directive_id, []).append(Excluded(*values))


def _add_records(facts: FactsByPerson, pending: PendingFacts) -> None:
    r, v = Record, Revocation
    query = select(r.id, r.recorded_at, r.void, r.replaces_id, r.achieved_on, r.person_id, r.activity_id)
    for *values, person_id, activity_id in fetch_tuples(query.where(r.person_id.in_(list(facts)))):
        facts[person_id].records.setdefault(activity_id, []).append(Earned(*values))
    for person_id, person in facts.items():
        for record_id, activity_id, achieved_on in pending.records.get(person_id, ()):
            earned = Earned(record_id, ALL_KNOWN, False, None, achieved_on)
            person.records.setdefault(activity_id, []).append(earned)
    revoked = select(v.id, v.recorded_at, v.void, v.replaces_id, v.record_id, v.from_on, r.person_id)
    revoked = revoked.join(r, r.id == v.record_id).where(r.person_id.in_(list(facts)))
    for *values, person_id in fetch_tuples(revoked):
        facts[person_id].revocations.append(Revoked(*values))


def _add_starts(facts: FactsByPerson) -> None:
    g = Registration
    head = (g.id, g.recorded_at, g.void, g.replaces_id, g.started_on, g.person_id, g.activity_id)
    for *values, person_id, activity_id in fetch_tuples(select(*head).where(g.person_id.in_(list(facts)))):
        facts[person_id].starts.setdefault(activity_id, []).append(Started(*values))
