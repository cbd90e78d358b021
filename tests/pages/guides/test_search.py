"""The page of search results, and the pages at the place that a result leads to."""

from urllib.parse import urlencode

import pytest

from tests.domain.catalogue.folders import SVG
from tests.page_reading import H, words
from tests.pages.account.browsing import let_in, make_account
from tests.pages.guides.test_views import GUIDE, HEAD, publish_all, write_guide
from tests.pages.monitoring.counting import statements

FOLDED = """
First.

::: details What else
Wait for the harbourmaster.
:::

::: figure media/box.svg
A box of flares.
:::
"""


@pytest.fixture
def learner(client):
    make_account()
    let_in(client)
    return client


def around_place(page, tag: str | None = None) -> list:
    """The elements around the place that the page opens at, the innermost last."""
    (place,) = page.all("span", id="place")
    return [element for element in page.root.iter(tag) if element is not place and place in element.iter()]


def marks(page) -> list[str]:
    return [mark.text for mark in page.all("mark")]


def test_a_result_names_module_lesson_and_sentence_and_keeps_what_was_typed(learner, tmp_path):
    publish_all(write_guide(tmp_path))

    page = learner.press(learner.page("/guides"), "Search", q="ring")

    assert page.h1 == "1 result for “ring”"
    assert "Ambulance first Whom to call Ring early." in page.text
    assert marks(page) == ["Ring"]
    assert page.all("input", name="q")[0].get("value") == "ring"


def test_a_misspelt_search_says_what_was_searched_for_and_offers_the_exact_one(learner, tmp_path):
    publish_all(write_guide(tmp_path))

    page = learner.page("/guides?q=Ambulanse+first")
    exact = learner.page(page.links["Search for “Ambulanse first” exactly"])
    again = learner.page(exact.links["Search for words like “Ambulanse first”"])

    assert page.h1 == "1 result for “ambulance first”"
    assert "Did you mean “ambulance first”? No text has “ambulanse”." in page.text
    assert exact.h1 == "0 results for “Ambulanse first”"
    assert "No lesson, guide or term has “ambulanse”." in exact.text
    assert again.h1 == page.h1


def test_a_search_that_finds_nothing_says_what_to_do_next(learner, tmp_path):
    publish_all(write_guide(tmp_path))

    nothing, some = learner.page("/guides?q=zebra"), learner.page("/guides?q=zebra+ambulance")

    assert "No lesson, guide or term has “zebra”. Check the spelling, or use" in nothing.text
    assert {"All guides", "Glossary", "Sources"} <= set(nothing.links)
    assert "No text has “zebra”, so the results are for the other words." in some.text
    assert some.h1 == "1 result for “zebra ambulance”"


@pytest.mark.parametrize(
    "typed", ["' OR 1=1 --", "%", "(z+)+$", "\u202eambulance\u2028", "z" * 5_000, "<b>zebra"]
)
def test_any_text_is_shown_as_it_was_typed_and_harmless(learner, tmp_path, typed):
    publish_all(write_guide(tmp_path))

    page = learner.page(f"/guides?{urlencode({'q': typed})}")

    shown = page.all("input", name="q")[0].get("value")
    assert shown == typed.strip("\u202e\u2028")[:200]
    assert f"for “{shown}”" in page.h1
    assert learner.get("/guides?q=%00").status_code == 400


@pytest.mark.parametrize(("count", "shown"), [(20, 20), (21, 20)])
def test_more_results_than_a_page_shows_are_counted(learner, tmp_path, count, shown):
    texts = {
        f"_guides/g{n}.md": f"{HEAD.replace('Whom to call', f'G{n}')}\nMind zebras.\n" for n in range(count)
    }
    publish_all(write_guide(tmp_path, **texts))

    page = learner.page("/guides?q=zebras")

    assert page.h1 == f"{count} results for “zebras”"
    assert len([a for a in page.all("a") if "/guides/g" in (a.get("href") or "")]) == shown
    assert ("Add a word to narrow the search." in page.text) is (count > shown)


@pytest.mark.parametrize(
    ("typed", "folded_away"), [("first", False), ("harbourmaster", True), ("flares", True)]
)
def test_a_result_opens_its_page_at_its_sentence_unfolded(learner, tmp_path, typed, folded_away):
    publish_all(
        write_guide(tmp_path, **{"_guides/whom-to-call.md": HEAD + FOLDED, "_guides/media/box.svg": SVG})
    )
    results = learner.page(f"/guides?q={typed}")

    address = results.links["Whom to call"]
    page = learner.page(address)

    unfolded = [details for details in page.all("details") if details.get("open") is not None]
    assert address.endswith("#place")
    assert typed in words(around_place(page)[-1]).lower()
    assert unfolded == around_place(page, f"{H}details")
    assert len(unfolded) == folded_away


@pytest.mark.parametrize("place", ["0", "99", "-1", "1.5", "x", "9" * 5000, "²", "%00"])
def test_a_place_that_no_page_has_shows_the_page_from_its_top(learner, tmp_path, place):
    publish_all(write_guide(tmp_path))

    if place == "%00":
        learner.page(f"/guides/whom-to-call?place={place}", 400)
    else:
        page = learner.page(f"/guides/whom-to-call?place={place}")
        assert page.all("span", id="place") == []


def test_a_lesson_and_a_job_aid_open_at_the_place_too(learner, tmp_path):
    publish_all(write_guide(tmp_path))

    for typed, title in (("look", "A lesson"), ("do this", "On one page")):
        page = learner.page(learner.page(f"/guides?q={typed}").links[title])
        assert typed in words(around_place(page)[-1]).lower()


def test_a_search_asks_as_much_of_many_pages_as_of_few(learner, tmp_path):
    publish_all(write_guide(tmp_path))
    learner.page("/guides?q=ambulance")  # what was published is indexed once
    with statements() as few:
        learner.page("/guides?q=ambulance")
    texts = {f"_guides/g{n}.md": GUIDE.replace("Whom to call", f"G{n}") for n in range(18)}
    publish_all(write_guide(tmp_path, **texts))
    learner.page("/guides?q=ambulance")
    with statements() as many:
        page = learner.page("/guides?q=ambulanse")

    assert page.h1 == "19 results for “ambulance”"
    assert len(many) == len(few)
