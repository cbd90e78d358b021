"""A recommendation is one file: checked with every fault at once, published once, and never changed."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.features.assurance import recommendations
from portal.features.assurance.models import RecommendationVersion
from portal.features.assurance.recommendations import RECOMMENDATION_FILES
from portal.platform.audit import AuditEvent
from portal.platform.db import db, stamp, transaction
from portal.platform.errors import BadInputError, NotFoundError

SHIPPED = Path(__file__).resolve().parents[3] / "recommendations"
GOOD = """\
title = "A plan"
source = "An inspection, 16 May 2025"
addressee = "Chief constables"
wording = "The force has a plan."
working_with = ["A national unit", "A college"]
paraphrased = true
deadline_on = 2025-12-31
place = 2
"""


def publish(content: str = GOOD, key: str = "plan") -> int | None:
    with transaction():
        source = RECOMMENDATION_FILES.check_content(key, content.encode())
        return recommendations.publish_recommendation(source, at=stamp(), by=None)


def test_a_file_becomes_a_version_with_all_that_it_says(database: None) -> None:
    assert publish() == 1

    version = recommendations.numbered_recommendation("plan")
    file = recommendations.read_version_file("plan", version)
    assert (version.title, version.wording) == ("A plan", "The force has a plan.")
    assert (version.deadline_on, version.place) == (date(2025, 12, 31), 2)
    assert (version.content, version.digest) == (GOOD.encode(), recommendations.sha256_of(GOOD.encode()))
    assert (file.working_with, file.paraphrased) == (("A national unit", "A college"), True)
    event = db.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "recommendation.published")
    ).one()
    assert (event.detail["recommendation"], event.detail["number"]) == ("plan", 1)


def test_the_same_bytes_publish_nothing_and_others_the_next_version(database: None) -> None:
    publish()

    assert publish() is None
    assert publish(GOOD.replace("A plan", "Clear plans")) == 2

    assert recommendations.numbered_recommendation("plan").title == "Clear plans"
    assert recommendations.numbered_recommendation("plan", 1).title == "A plan"
    assert [(key, each.number) for key, each in recommendations.current_recommendations()] == [("plan", 2)]
    assert db.session.query(RecommendationVersion).count() == 2
    for key, number in (("plan", 3), ("other", None)):
        with pytest.raises(NotFoundError):
            recommendations.numbered_recommendation(key, number)


def test_the_four_that_are_shipped_have_their_deadlines_and_no_number_of_the_report() -> None:
    sources = {source.key: source for source in RECOMMENDATION_FILES.check_path(SHIPPED)}

    assert {key: source.deadline_on for key, source in sources.items()} == {
        "intelligence-documents": date(2026, 4, 30),
        "plan": date(2025, 12, 31),
        "hydra": date(2026, 4, 30),
        "e-learning": date(2026, 4, 30),
    }
    assert sorted(source.place for source in sources.values()) == [1, 2, 3, 4]
    assert all(source.paraphrased for source in sources.values())  # their own wording is not reproduced
    for source in sources.values():
        assert "ecommendation " not in f"{source.title} {source.wording}"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (('title = "A plan"\n', ""), "line 1: “title” is missing."),
        (("A plan", "A plan " * 30), "line 1: “title” has 209 characters. Use 150 or fewer."),
        (("The force has a plan.", " "), "line 4: “wording” needs a text between quotation marks."),
        (("2025-12-31", '"31 December"'), "line 7: “deadline_on” needs a date without quotation marks"),
        (("2025-12-31", "1825-12-31"), "line 7: “deadline_on” needs a day from 1900 to 2100."),
        (("place = 2", "place = 0"), "line 8: “place” needs a whole number, 1 or more."),
        (("place = 2", "place = 1000"), "line 8: “place” is 1000. Use 999 or fewer."),
        (("paraphrased = true", "number = 3"), "line 6: “number” is not a known key here."),
        (('"A college"', '"A national unit"'), "line 5: “working_with” names something twice."),
        (('"A college"', f'"{"x" * 151}"'), "line 5: Use 150 characters or fewer for each body."),
        (("A plan", "A \x07plan"), "line 1: Take out the invisible character U+0007."),
        (('title = "A plan"', 'title = "A plan'), "line 1: This is not TOML"),
    ],
)
def test_each_fault_is_said_with_its_line(change: tuple[str, str], reason: str) -> None:
    with pytest.raises(BadInputError) as refused:
        RECOMMENDATION_FILES.check_content("plan", GOOD.replace(*change).encode())
    said = refused.value.reasons
    assert any(each.startswith(f"plan.toml, {reason}") for each in said), said


@pytest.mark.parametrize("key", ["Plan", "a b", "mine", "pack", "a/b", "", "x" * 81])
def test_a_key_that_no_address_could_carry_is_refused(key: str) -> None:
    with pytest.raises(BadInputError):
        RECOMMENDATION_FILES.check_content(key, GOOD.encode())


def test_two_files_of_a_folder_do_not_have_one_place(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(GOOD)
    (tmp_path / "two.toml").write_text(GOOD)

    with pytest.raises(BadInputError) as refused:
        RECOMMENDATION_FILES.check_path(tmp_path)

    assert refused.value.reasons == ["two.toml: “one” has place 2 already."]
