"""Proposals of exercises: four eyes, one open for each exercise, and exactly what was sent is published."""

import pytest
from sqlalchemy import select

from portal.domain.catalogue import services as catalogue
from portal.features.exercises import versions
from portal.features.exercises.sources import pack_exercise
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from portal.platform.errors import BadInputError, ConflictError, NotFoundError, RuleError
from tests.domain.catalogue.folders import write
from tests.factories.people import make_person
from tests.features.exercises.folders import as_bytes, exercise_files

KEY = "short-night"


@pytest.fixture(autouse=True)
def _shared(database, tmp_path):
    with transaction():
        catalogue.publish_folder(write(tmp_path), at=clock.now())


@pytest.fixture
def author(database) -> int:
    return make_person(forenames="Carys", surname="Rees")


@pytest.fixture
def publisher(database) -> int:
    return make_person(forenames="Hugh", surname="Mercer")


def archive_with(**changes: str) -> bytes:
    sheets = {f"{name}.md": text for name, text in changes.items()}
    return pack_exercise(KEY, as_bytes({**exercise_files(), **sheets}))


def propose(archive: bytes, by: int) -> int:
    with transaction():
        return versions.propose_exercise(archive, note="It was unclear.", by=by, at=clock.now())


def decide(act, proposal_id: int, by: int, **others):
    with transaction():
        return act(proposal_id, by=by, at=clock.now(), **others)


def test_a_second_person_publishes_exactly_what_was_sent(author, publisher):
    sent = archive_with(debrief="What next?\n")
    proposal_id = propose(sent, author)

    waiting = versions.list_open_proposals()
    assert [(line.key, line.proposed_by, line.note) for line in waiting] == [
        (KEY, "Carys Rees", "It was unclear.")
    ]
    assert decide(versions.publish_proposal, proposal_id, publisher) == (KEY, 1)

    version = versions.newest_version(KEY)
    assert version.published_by_id == publisher
    assert pack_exercise(KEY, versions.version_files(version.id)) == sent
    assert versions.proposal_archive(proposal_id) == sent
    assert versions.list_open_proposals() == []
    actions = db.session.execute(select(AuditEvent.action, AuditEvent.actor_id).order_by(AuditEvent.id)).all()
    assert [tuple(row) for row in actions][-2:] == [
        ("exercise.proposed", author),
        ("exercise.published", publisher),
    ]


def test_nobody_publishes_or_sends_back_what_they_sent(author):
    proposal_id = propose(archive_with(), author)

    with pytest.raises(RuleError, match="You proposed this yourself"):
        decide(versions.publish_proposal, proposal_id, author)
    with pytest.raises(RuleError, match="Withdraw it instead"):
        decide(versions.send_proposal_back, proposal_id, author, reason="No")

    assert versions.newest_version(KEY) is None


def test_after_a_proposal_is_sent_back_or_withdrawn_another_can_be_sent(author, publisher):
    first = propose(archive_with(), author)
    with pytest.raises(ConflictError, match="waits already"):
        propose(archive_with(debrief="Other.\n"), publisher)
    with pytest.raises(RuleError, match="Only its author"):
        decide(versions.withdraw_proposal, first, publisher)

    decide(versions.send_proposal_back, first, publisher, reason="The child is missing.")
    second = propose(archive_with(debrief="Other.\n"), author)
    decide(versions.withdraw_proposal, second, author)

    assert versions.get_proposal(first).reason == "The child is missing."
    assert versions.get_proposal(second).ended_as == "withdrawn"
    for act in (versions.publish_proposal, versions.withdraw_proposal):
        with pytest.raises(ConflictError, match="has been sent back already"):
            decide(act, first, publisher)
    with pytest.raises(NotFoundError):
        decide(versions.publish_proposal, 999, publisher)


def test_an_exercise_published_meanwhile_is_never_overwritten_unread(author, publisher, tmp_path):
    old = propose(archive_with(debrief="Old.\n"), author)
    with transaction():
        versions.publish_exercise_files(KEY, as_bytes(exercise_files()), at=clock.now(), by=publisher)

    with pytest.raises(ConflictError, match="Version 1 was published after this was proposed"):
        decide(versions.publish_proposal, old, publisher)
    decide(versions.send_proposal_back, old, publisher, reason="Take in version 1.")
    with pytest.raises(RuleError, match="This is version 1 as it is published"):
        propose(archive_with(), author)


def test_faults_are_refused_when_it_is_sent(author):
    with pytest.raises(BadInputError, match="There is no such file, or nothing in it"):
        propose(archive_with(debrief=""), author)
    assert versions.list_open_proposals() == []
