"""A question is open in one tab; in another its person signs out, and somebody signs in."""

import pytest
from sqlalchemy import func, select

from portal.domain.accounts.models import HeldForm
from portal.domain.assessment.models import Attempt, Response
from portal.platform.db import db
from tests.factories.catalogue import RIGHT, make_version
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import another, let_in, make_account
from tests.pages.assessment.choosing import ticked_labels, values_of_keys
from tests.pages.learning.working import attempt_base, begin, items_of, learner

SAVE = "Save and continue"


@pytest.fixture
def question(client: PortalClient) -> Page:
    """Question 2 of four, in the first tab of D1001."""
    make_version()
    learner(client)
    return client.page(f"{attempt_base(begin(client))}/items/2")


def count_rows(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def right_answer(question: Page) -> list[str]:
    item = items_of(attempt_base(question))[1]
    return values_of_keys(question, item, RIGHT[item.kind])


def sign_out(client: PortalClient) -> None:
    client.press(client.page("/account"), "Sign out")


def test_the_answer_is_kept_and_saved_by_its_person(client: PortalClient, question: Page) -> None:
    sign_out(client)
    let_in(client)

    kept = client.press(question, SAVE, choice=right_answer(question))

    assert kept.h1 == "Your answer to question 2 was kept"
    assert count_rows(Response) == 0
    following = client.press(kept, "Continue")
    assert "Question 3 of 4" in following.text
    assert len(ticked_labels(client.page(question.path))) == len(right_answer(question))
    assert count_rows(HeldForm) == 0


def test_it_is_kept_too_if_its_person_signs_in_afterwards(client: PortalClient, question: Page) -> None:
    sign_out(client)

    asked = client.press(question, SAVE, choice=right_answer(question))

    assert asked.h1 == "Sign in"
    assert "What you sent is kept for 60 minutes" in asked.text
    let_in(client)
    assert client.page("/sign-in/kept").h1 == "Your answer to question 2 was kept"


def test_it_reaches_nobody_else_who_signs_in_here(client: PortalClient, question: Page) -> None:
    make_account("D1002")
    sign_out(client)
    let_in(client, "D1002")
    begin(client)

    refused = client.press(question, SAVE, 400, choice=right_answer(question))

    assert refused.h1 == "Somebody else is signed in now"
    assert "was not saved" in refused.text
    assert (count_rows(Response), count_rows(HeldForm), count_rows(Attempt)) == (0, 0, 2)


def test_what_was_kept_is_not_shown_to_who_signs_in_next(client: PortalClient, question: Page) -> None:
    make_account("D1002")
    sign_out(client)
    client.press(question, SAVE, choice=right_answer(question))

    let_in(client, "D1002")

    assert client.get("/sign-in/kept").location == "/"
    assert client.get(question.path).status_code == 404


def test_a_browser_that_its_person_never_used_keeps_nothing(client: PortalClient, question: Page) -> None:
    sign_out(client)
    form = question.form_with(SAVE)

    response = another(client.application).post(form.action, data={**form.fields, "choice": ["x"]})

    assert response.status_code == 400
    assert count_rows(HeldForm) == 0


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        pytest.param({"csrf_token": "forged"}, {}, id="forged token"),
        pytest.param({}, {"Origin": "https://evil.example"}, id="another site"),
        pytest.param({}, {"Sec-Fetch-Site": "cross-site"}, id="another site by its metadata"),
        pytest.param({}, {"Sec-Fetch-Mode": "cors"}, id="a script"),
        pytest.param({"new_password": "lantern pebble"}, {}, id="a secret"),
    ],
)
def test_what_the_page_did_not_send_is_not_kept(
    client: PortalClient, question: Page, fields: dict[str, str], headers: dict[str, str]
) -> None:
    form = question.form_with(SAVE)
    sign_out(client)
    let_in(client)

    response = client.post(
        form.action, data={**form.fields, "choice": right_answer(question), **fields}, headers=headers
    )

    assert response.status_code == 400
    assert count_rows(HeldForm) == 0
