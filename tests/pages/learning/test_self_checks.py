"""A self-check of a lesson answers back in place, with HTML alone, and keeps nothing."""

from pathlib import Path
from urllib.parse import urlencode

import pytest

from portal.domain.catalogue import services
from portal.platform.db import stamp, transaction
from tests.domain.catalogue.folders import CHECK, lesson, write
from tests.domain.catalogue.kinds_written import check
from tests.page_reading import H, Page, PortalClient, words
from tests.pages.learning.working import learner
from tests.pages.monitoring.counting import statements

LESSON = "/learning/modules/sample/lessons/first"
THIRD = '\n[[choice]]\nkey = "c"\ntext = "Both"\nfeedback = "Too."\ncorrect = true\n:::\n'
SEVERAL = CHECK.replace('"try"', '"several"').replace('"single"', '"multiple"').removesuffix(":::\n") + THIRD


@pytest.fixture
def page(client: PortalClient, tmp_path: Path) -> Page:
    """A lesson with four checks, before any is answered."""
    checks = (CHECK, SEVERAL, check("order", "steps"), check("match", "pairs"))
    files = {"sample/lessons/first.md": lesson("\n".join(("## See\n\nRead.\n\n## Do\n\nWrite.\n", *checks)))}
    with transaction():
        services.publish_folder(write(tmp_path, files), at=stamp())
    learner(client)
    return client.page(LESSON)


def sent_fields(page: Page) -> dict[str, list[str]]:
    """What a browser would send of the form of the checks, without its button."""
    fields: dict[str, list[str]] = {}
    for control in page.all("input", form="self-checks"):
        if control.get("type") == "hidden" or control.get("checked") is not None:
            fields.setdefault(control.get("name") or "", []).append(control.get("value") or "")
    for control in page.all("select", form="self-checks"):
        options = [option for option in control.iter(f"{H}option") if option.get("selected") is not None]
        fields[control.get("name") or ""] = [options[0].get("value") or "" if options else ""]
    return fields


def check_answer(client: PortalClient, page: Page, key: str, **chosen: list[str]) -> Page:
    """Choose, and press “Check my answer” of this check."""
    (button,) = (each for each in page.all("button", form="self-checks") if each.get("value") == key)
    assert words(button) == "Check my answer"
    assert button.get("formaction") == f"#{page.all('div', id=f'check-{key}-place')[0].get('id')}"
    fields = {**sent_fields(page), **{name.replace("_", "-"): values for name, values in chosen.items()}}
    fields["checked"] = [*fields.get("checked", []), key]
    return client.page(f"{LESSON}?{urlencode(fields, doseq=True)}")


def feedback(page: Page, key: str) -> list[str]:
    """The feedback of a check that the screen shows: what is not in a fold kept for print."""
    (place,) = page.all("div", id=f"check-{key}-place")
    folds = [fold for fold in place.iter(f"{H}details") if "portal-check__later" in (fold.get("class") or "")]
    hidden = {id(part) for fold in folds for part in fold.iter()}
    return [
        words(part)
        for part in place.iter()
        if id(part) not in hidden and (part.get("class") or "").startswith(("portal-feedback", "govuk-error"))
    ]


def test_one_feedback_for_the_one_that_was_chosen(client: PortalClient, page: Page) -> None:
    assert feedback(page, "try") == []

    wrong = check_answer(client, page, "try", check_try=["2"])

    assert feedback(wrong, "try") == ["Not correctNo."]
    assert [box.get("value") for box in wrong.all("input", name="check-try", checked="")] == ["2"]
    assert feedback(check_answer(client, wrong, "try", check_try=["1"]), "try") == ["CorrectYes."]


def test_a_check_that_is_pressed_without_a_choice_says_so(client: PortalClient, page: Page) -> None:
    assert feedback(check_answer(client, page, "try"), "try") == ["Error: Choose an answer, then check it"]


def test_of_several_each_chosen_one_and_the_whole_answer(client: PortalClient, page: Page) -> None:
    some = check_answer(client, page, "several", check_several=["1", "2"])
    assert feedback(some, "several") == [
        "CorrectYes.",
        "Not correctNo.",
        "Not yetYou chose 1 of 2 right answers, and 1 that is not right.",
    ]

    every = check_answer(client, page, "several", check_several=["1", "3"])
    assert feedback(every, "several")[-1] == "CorrectYou chose every right answer and no other."


@pytest.mark.parametrize("key", ["steps", "pairs"])
def test_lists_say_of_each_whether_it_is_right(client: PortalClient, page: Page, key: str) -> None:
    lists = [each for each in page.all("select") if (each.get("id") or "").startswith(f"check-{key}-")]
    names = [(each.get("name") or "").replace("-", "_") for each in lists]

    told = [
        feedback(check_answer(client, page, key, **{name: [number] for name in names}), key)
        for number in ("1", "2", "3")
    ]

    assert [len(of_each) for of_each in told] == [len(lists)] * 3 == [3] * 3
    assert all(of_each.count("Correct") == 1 for of_each in zip(*told, strict=True))
    assert all(text == "Correct" or len(text) > len("Not correct") for of_each in told for text in of_each)
    partly = check_answer(client, page, key, **{names[0]: ["2"]})
    assert feedback(partly, key)[-1] == "Error: Choose from each list, then check"


def test_the_round_trip_loses_nothing_and_writes_nothing(client: PortalClient, page: Page) -> None:
    first = check_answer(client, page, "try", check_try=["2"], check_several=["3"])
    with statements() as run:
        second = check_answer(client, first, "several")

    assert feedback(second, "try") == ["Not correctNo."]
    assert [box.get("value") for box in second.all("input", name="check-several", checked="")] == ["3"]
    assert not [text for text in run if text.startswith(("INSERT", "UPDATE"))]


def test_what_nobody_chose_is_in_the_page_for_print_alone(page: Page) -> None:
    folds = page.all("details", class_="portal-check__later")

    assert len(folds) == 2 + 3 + 3 + 3
    others = [words(fold) for fold in page.all("details") if fold not in folds]
    assert others[:-1] == ["Show the explanationSo."] * 4
    assert others[-1].startswith("Was this lesson clear?")


def test_numbers_that_no_choice_has_are_as_if_nothing_was_chosen(client: PortalClient, page: Page) -> None:
    odd = "check-try=9&check-try=%3Cb%3E&checked=try&checked=nothing&check-steps-1=99&checked=steps"
    shown = client.page(f"{LESSON}?{odd}")

    assert feedback(shown, "try") == []
    assert feedback(shown, "steps") == ["Error: Choose from each list, then check"]


def test_the_parts_of_a_lesson_say_how_far_one_is(page: Page) -> None:
    heads = [head for head in page.all("h2") if (head.get("id") or "").startswith("part-")]

    assert [words(head) for head in heads] == ["Part 1 of 2: See", "Part 2 of 2: Do"]
