"""Guides from their folder to their readers: published, found by words, read, acknowledged, required."""

from csv import DictReader
from io import StringIO

import pytest
from sqlalchemy import func, select

from portal.domain.catalogue import services
from portal.domain.catalogue.publishing import current_guide
from portal.domain.catalogue.version_cache import shared_content
from portal.domain.directives.services import issue_toml
from portal.domain.records.models import Acknowledgement
from portal.platform.db import db, stamp, transaction
from portal.platform.errors import BadInputError
from portal.platform.permissions import Role
from tests.domain.catalogue.folders import SVG, lesson, write
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant, make_person, make_unit
from tests.pages.account.browsing import let_in, make_account
from tests.pages.monitoring.counting import statements

HEAD = """+++
title = "Whom to call"
summary = "At the scene, day and night."
owner = "Learning and development"
review_on = 2027-05-31
acknowledge = true
+++
"""
GUIDE = f"""{HEAD}
Begin with life.

## Ambulance first

Ring early. Do not wait. [OIC](term:OIC): [[force.nccu_contact]]

::: figure media/box.svg
A box.
:::

## Then the control room

They [help](guide:whom-to-call) with interpreters.
"""


@pytest.fixture
def learner(client):
    person = make_account()
    let_in(client)
    client.person = person
    return client


def write_guide(tmp_path, guide: str = GUIDE, **more):
    return write(tmp_path, {"_guides/whom-to-call.md": guide, "_guides/media/box.svg": SVG, **more})


def publish_all(path) -> services.PublishingResult:
    with transaction():
        return services.publish_folder(path, at=stamp())


def require_guide() -> None:
    """A directive that asks response officers to acknowledge the guide."""
    with transaction():
        issue_toml(
            b"""
reference = "READ-1"
title = "Read the guide"
source = "A recommendation"
wording = "Read it."
owner = "D1001"
effective_on = 2025-09-01
target = 1.0
notice_days = [30]
expiring_days = 60
[due]
on = 2099-04-30
[[audience]]
designated_role = ["response"]
[[requirement]]
kind = "guide"
key = "whom-to-call"
""",
            at=stamp(),
        )


def test_a_guide_is_published_once_for_its_bytes_and_numbered_for_new_ones(database, tmp_path):
    first = publish_all(write_guide(tmp_path))
    again = publish_all(tmp_path)
    other = publish_all(write_guide(tmp_path, GUIDE.replace("Ring early", "Ring at once")))

    assert (first.guides, again.guides, other.guides) == (
        [("whom-to-call", 1)],
        [],
        [("whom-to-call", 2)],
    )
    assert "whom-to-call" in again.unchanged


def test_a_new_drawing_is_a_new_version_of_the_guide_that_shows_it(database, tmp_path):
    publish_all(write_guide(tmp_path))

    done = publish_all(write_guide(tmp_path, **{"_guides/media/box.svg": SVG.replace("A box", "Two boxes")}))

    assert done.guides == [("whom-to-call", 2)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"_guides/whom-to-call.md": "No head.\n"}, "_guides/whom-to-call.md, line 1: Begin with front"),
        ({"_guides/whom-to-call.md": HEAD}, "Write the text below the front matter."),
        (
            {"_guides/whom-to-call.md": GUIDE.replace("summary", "sumary")},
            "“sumary” is not a known key here.",
        ),
        ({"_guides/Whom.md": GUIDE}, "_guides/Whom.md: Name the file with small letters"),
        ({"_guides/list.txt": "x"}, "“list.txt” does not belong among guides."),
        ({"_guides/whom-to-call.md": GUIDE.replace("guide:whom", "guide:who")}, "There is no guide “who-to"),
        ({"_guides/media/box.svg": None}, "There is no media/box.svg"),
        ({"_guides/media/box.svg": SVG.replace("<rect", "<script")}, "A drawing may not contain <script>"),
        ({"sample/lessons/second.md": lesson("[See](guide:nobody)\n")}, "There is no guide “nobody”."),
    ],
)
def test_a_bad_guide_publishes_nothing(database, tmp_path, changes, reason):
    with pytest.raises(BadInputError) as refused:
        publish_all(write_guide(tmp_path, **changes))

    assert reason in str(refused.value)
    assert current_guide("whom-to-call") is None


def test_a_lesson_may_link_to_a_guide(learner, tmp_path):
    publish_all(write_guide(tmp_path, **{"sample/lessons/second.md": lesson("[See](guide:whom-to-call)\n")}))

    page = learner.page("/learning/modules/sample/lessons/second")

    assert page.links["See"] == "/guides/whom-to-call"


def test_a_reader_sees_the_parts_the_drawing_without_what_the_force_has_not_set(learner, tmp_path):
    publish_all(write_guide(tmp_path))

    page = learner.page("/guides/whom-to-call")

    assert "Ring early. Do not wait." in page.text
    assert "OIC" not in page.text
    assert [h.get("id") for h in page.all("h2") if (h.get("id") or "").startswith("part-")] == [
        "part-ambulance-first",
        "part-then-the-control-room",
    ]
    assert learner.get(page.all("img")[0].get("src") or "").data == SVG.encode()
    assert learner.page("/guides/nobody", 404).h1 == "Page not found"


def test_acknowledging_is_recorded_once_a_day_with_a_reference(learner, tmp_path):
    publish_all(write_guide(tmp_path))
    page = learner.page("/guides/whom-to-call")

    page = learner.press(page, "I have read this guide")
    learner.press(page, "I have read it again today")

    assert "You have read this guide" in page.text
    assert db.session.scalar(select(func.count()).select_from(Acknowledgement)) == 1
    reference = next(text for text in page.links if text.startswith("OIC-"))
    assert "Whom to call" in learner.page(page.links[reference]).h1
    assert "Acknowledged on" in learner.page("/guides").text


def test_a_new_version_asks_again_and_an_old_page_cannot_answer_for_it(learner, tmp_path):
    publish_all(write_guide(tmp_path))
    old = learner.press(learner.page("/guides/whom-to-call"), "I have read this guide")
    publish_all(write_guide(tmp_path, GUIDE.replace("Ring early", "Ring at once")))

    refused = learner.press(old, "I have read it again today", 409)
    page = learner.page("/guides/whom-to-call")

    assert "A newer version of this guide was published" in refused.text
    assert "Have you read this guide?" in page.text
    assert "version 1" in page.text


def test_a_guide_that_asks_nobody_takes_no_acknowledgement(learner, tmp_path):
    publish_all(write_guide(tmp_path, GUIDE.replace("acknowledge = true", "acknowledge = false")))
    page = learner.page("/guides/whom-to-call")
    form = learner.page("/guides").form_with("Sign out")

    sent = {"csrf_token": form.fields["csrf_token"][0], "number": "1"}
    response = learner.post("/guides/whom-to-call", data=sent)

    assert "Have you read this guide?" not in page.text
    assert response.status_code == 409
    assert db.session.scalar(select(func.count()).select_from(Acknowledgement)) == 0


def test_a_directive_can_require_the_acknowledgement(learner, tmp_path):
    publish_all(write_guide(tmp_path))
    require_guide()
    before = learner.page("/learning")

    learner.press(learner.page(before.links["Whom to call"]), "I have read this guide")
    after = learner.page("/learning")

    assert "Not started" in before.text
    assert before.h1 == "You have 1 guide to read by 30 April 2099"
    assert after.h1 == "You have completed everything"
    assert "Read on" in after.text


def test_many_guides_cost_as_many_statements_as_two(learner, tmp_path):
    publish_all(write_guide(tmp_path, **{"_guides/b.md": GUIDE.replace("Whom to call", "B")}))
    with statements() as few:
        learner.page("/guides")
    publish_all(
        write_guide(
            tmp_path, **{f"_guides/g{n}.md": GUIDE.replace("Whom to call", f"G{n}") for n in range(18)}
        )
    )
    with statements() as many:
        learner.page("/guides")

    assert len(many) == len(few)


def test_what_the_force_fills_in_is_shown_everywhere_at_once(client, tmp_path):
    publish_all(
        write_guide(tmp_path, **{"sample/lessons/second.md": lesson("Ring [[force.nccu_contact]].\n")})
    )
    make_grant(make_account("D3001"), Role.AUTHOR)
    let_in(client, "D3001")
    page = client.page("/force-settings")

    saved = client.press(page, "Save", **{"force-nccu_contact": " <b>Ring</b>  desk 9 "})

    assert page.h1 == "1 detail of your force is not set"
    assert page.links["How to reach NCCU"] == "#force-nccu_contact"
    assert ("Left out in 2 places" in page.text, "Shown in 2 places" in saved.text) == (True, True)
    assert saved.h1 == "Your force’s details are set"
    assert "<b>Ring</b> desk 9" in client.page("/guides/whom-to-call").text
    assert "Ring <b>Ring</b> desk 9." in client.page("/learning/modules/sample/lessons/second").text
    assert saved.links["Whom to call"] == "/guides/whom-to-call"
    assert saved.links["A lesson"] == "/learning/modules/sample/lessons/second"


def test_an_emptied_detail_is_not_set_again_and_a_long_one_is_refused(client, tmp_path):
    publish_all(write_guide(tmp_path))
    make_grant(make_account("D9001"), Role.ADMINISTRATOR)
    let_in(client, "D9001")
    page = client.press(client.page("/force-settings"), "Save", **{"force-nccu_contact": "Desk 9"})

    refused = client.press(page, "Save", **{"force-nccu_contact": "x" * 301})
    emptied = client.press(page, "Save", **{"force-nccu_contact": "  "})

    assert "Use 300 characters or fewer." in refused.text
    assert emptied.h1 == "1 detail of your force is not set"
    assert "OIC" not in client.page("/guides/whom-to-call").text


def test_publishing_the_folder_again_keeps_what_the_force_filled_in(client, tmp_path):
    publish_all(write_guide(tmp_path))
    make_grant(make_account("D3001"), Role.AUTHOR)
    let_in(client, "D3001")
    client.press(client.page("/force-settings"), "Save", **{"force-nccu_contact": "Desk 9"})

    publish_all(write_guide(tmp_path, GUIDE.replace("Ring early", "Ring at once")))

    assert "Desk 9" in client.page("/guides/whom-to-call").text


def test_the_completion_file_says_which_version_was_acknowledged(learner, tmp_path):
    publish_all(write_guide(tmp_path))
    require_guide()
    learner.press(learner.page("/guides/whom-to-call"), "I have read this guide")
    publish_all(write_guide(tmp_path, GUIDE.replace("Whom to call", "Whom to ring")))
    make_grant(learner.person, Role.DIRECTIVE_OWNER)

    rows = list(DictReader(StringIO(learner.get("/monitoring/directives/READ-1/completions.csv").text)))
    page = learner.page("/people/D1001")

    assert [
        (row["requirement_kind"], row["requirement"], row["requirement_title"], row["version"], row["source"])
        for row in rows
    ] == [("guide", "whom-to-call", "Whom to call", "1", "acknowledged")]
    assert rows[0]["mastery_score"] == ""
    assert rows[0]["record_reference"].startswith("OIC-")
    assert "Whom to call" in page.text


def test_a_force_says_whose_roles_are_meant_and_when_the_assessment_opens(client, tmp_path):
    publish_all(write_guide(tmp_path))
    make_person(make_unit("Finance"), role="finance", rank="Sergeant")
    make_grant(make_account("D3001"), Role.AUTHOR)
    let_in(client, "D3001")
    page = client.page("/force-settings")
    fields = page.form_with("Save").fields
    assert "In none of them today: finance." in page.text
    assert fields["force-duty.response"][0].split("\n") == ["response", "neighbourhood", "roads policing"]

    unchanged = client.press(page, "Save")
    typed = {"force-duty.contact": "Finance\r\n\r\n  Despatch ", "force-assessment.test_out": "always"}
    saved = client.press(page, "Save", **typed)

    assert "You changed nothing." in unchanged.text
    assert "In none of them today" not in saved.text
    assert saved.form_with("Save").fields["force-duty.contact"][0].strip() == "Finance\nDespatch"
    values = shared_content().values
    assert values == {"duty.contact": "Finance\nDespatch", "assessment.test_out": "always"}


@pytest.mark.parametrize(
    ("word", "module_says", "is_open"),
    [("", False, False), ("", True, True), ("always", False, True), ("never", True, False)],
)
def test_the_force_has_the_last_word_on_testing_out(client, tmp_path, word, module_says, is_open):
    make_version(test_out=module_says)
    make_grant(make_account("D3001"), Role.AUTHOR)
    let_in(client, "D3001")
    client.press(client.page("/force-settings"), "Save", **{"force-assessment.test_out": word})

    page = client.page("/learning/modules/protect")

    assert any("Start assessment" in form.buttons for form in page.forms()) is is_open
    assert ("You can take the assessment first." in page.text) is is_open
    token = page.all("input", name="csrf_token")[0].get("value")
    answer = client.post("/learning/modules/protect/assessment", data={"csrf_token": token})
    assert ("/assessment/" in answer.headers["Location"]) is is_open
