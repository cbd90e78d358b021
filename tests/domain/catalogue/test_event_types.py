"""An event type is one file: checked with every fault at once, published once, and never changed."""

from datetime import date

import pytest
from sqlalchemy import select

from portal.domain.catalogue import publishing
from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.catalogue.other_sources import EVENT_TYPE_FILES
from portal.domain.catalogue.version_cache import activity_id
from portal.platform.audit import AuditEvent
from portal.platform.db import db, stamp, transaction
from portal.platform.errors import BadInputError, NotFoundError
from tests.domain.catalogue.event_type_files import GOOD, UNPREPARED, WITHOUT_SIZES, event_type_file
from tests.factories.catalogue import make_guide, make_version


def publish(content: bytes, key: str = "hydra") -> int | None:
    with transaction():
        return publishing.publish_event_type(
            EVENT_TYPE_FILES.check_content(key, content), at=stamp(), by=None
        )


def test_a_file_becomes_a_version_with_all_that_it_says(database):
    make_version("protect"), make_guide("whom-to-call")

    assert publish(GOOD.encode()) == 1

    version = publishing.numbered_event_type("hydra")
    assert (version.title, version.minutes, version.facilitators) == ("OIC Hydra", 240, 2)
    assert (version.syndicate_least, version.syndicate_most) == (3, 6)
    assert (version.places_least, version.places_most, version.approval) == (6, 24, True)
    assert (version.review_on, version.content) == (date(2027, 5, 31), GOOD.encode())
    assert [(each.kind, each.key) for each in publishing.list_preparation(version.preparation)] == [
        ("module", "protect"), ("guide", "whom-to-call"),
    ]  # fmt: skip
    assert version.activity_id == activity_id("event", "hydra")
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "event_type.published")).one()
    assert (event.detail["event_type"], event.detail["number"]) == ("hydra", 1)


def test_the_same_bytes_publish_nothing_and_others_the_next_version(database):
    publish(UNPREPARED.encode())
    first = publishing.numbered_event_type("hydra")

    assert publish(UNPREPARED.encode()) is None
    assert publish(event_type_file(("OIC Hydra", "OIC Hydra, second edition"))) == 2

    assert publishing.numbered_event_type("hydra").title == "OIC Hydra, second edition"
    assert publishing.numbered_event_type("hydra", 1) is first
    assert [each.title for each in publishing.event_type_summaries()] == ["OIC Hydra, second edition"]
    assert [each.number for each in publishing.list_event_type_versions("hydra")] == [2, 1]
    assert db.session.query(EventTypeVersion).count() == 2


def test_preparation_that_is_not_published_is_refused(database):
    make_version("protect")

    with pytest.raises(BadInputError) as refused:
        publish(GOOD.encode())

    assert refused.value.reasons == ["hydra.toml: preparation: “guide:whom-to-call” is not published."]
    assert publishing.current_event_types() == []


def test_a_syndicate_has_four_to_seven_people_where_the_file_does_not_say():
    source = EVENT_TYPE_FILES.check_content("hydra", WITHOUT_SIZES.encode())
    assert (source.syndicate_least, source.syndicate_most) == (4, 7)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("minutes = 240", "minutes = 0"), "line 6: “minutes” needs a whole number, 1 or more."),
        (("minutes = 240", "minutes = 20000"), "line 6: “minutes” is 20000. Use 10080 or fewer."),
        (("minutes = 240", "minutes = true"), "line 6: “minutes” needs a whole number, 1 or more."),
        (("least = 3", "least = 9"), "line 12: “most” is 6, and “least” is 9. Swap them, or change one."),
        (("most = 24", "most = 501"), "line 16: “most” is 501. Use 500 or fewer."),
        (("facilitators = 2\n", ""), "line 1: “facilitators” is missing."),
        (("approval = true", 'approval = "yes"'), "line 8: “approval” needs true or false."),
        (("approval = true", "prep = []"), "line 8: “prep” is not a known key here."),
        (
            ("approval = true", 'preparation = ["film:a"]'),
            "line 8: “film:a” is neither a module nor a guide.",
        ),
        (('owner = "Learning and development"', 'owner = " "'), "line 4: “owner” needs a text"),
        (("OIC Hydra", "Hydra " * 30), "line 1: “title” has 179 characters. Use 120 or fewer."),
        (("2027-05-31", '"2027-05-31"'), "line 5: “review_on” needs a date"),
        (("OIC Hydra", "OIC \x07Hydra"), "line 1: Take out the invisible character U+0007."),
        (("[places]", "[places"), "line 14: This is not TOML"),
    ],
)
def test_each_fault_is_said_with_its_line(change, reason):
    with pytest.raises(BadInputError) as refused:
        EVENT_TYPE_FILES.check_content("hydra", event_type_file(change))
    assert any(said.startswith(f"hydra.toml, {reason}") for said in refused.value.reasons), (
        refused.value.reasons
    )


def test_too_few_places_for_one_syndicate_are_a_fault():
    with pytest.raises(BadInputError) as refused:
        EVENT_TYPE_FILES.check_content(
            "hydra", event_type_file(("least = 6\nmost = 24", "least = 1\nmost = 2"))
        )
    assert "An event needs places for one syndicate at least: 3 or more." in str(refused.value)


@pytest.mark.parametrize("key", ["OIC", "a b", "new", "proposals", "a/b", "", "x" * 81])
def test_a_key_that_no_address_could_carry_is_refused(key):
    with pytest.raises(BadInputError):
        EVENT_TYPE_FILES.check_content(key, UNPREPARED.encode())


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"x" * 70_000, b"a = 1\r\n"])
def test_what_is_no_such_file_is_refused(content):
    with pytest.raises(BadInputError):
        EVENT_TYPE_FILES.check_content("hydra", content)


def test_what_is_not_published_is_not_found(database):
    publish(UNPREPARED.encode())
    for key, number in (("hydra", 2), ("other", None)):
        with pytest.raises(NotFoundError):
            publishing.numbered_event_type(key, number)
