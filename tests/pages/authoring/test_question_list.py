"""The lists of a draft: questions searched and told apart, questions and lessons moved in one step."""

import pytest

from portal.domain.authoring import content_types, item_files, queries
from portal.domain.authoring.item_files import question_titles
from tests.domain.catalogue.folders import ITEM, MODULE, lesson
from tests.page_reading import Page, PortalClient, words
from tests.pages.authoring.authors import DESK, draft_file
from tests.pages.authoring.desk import make_person_with, open_draft_page, publish_sample, signed_in_client

PROMPTS = {
    "nail-bar": "What do you do first at the nail bar?",
    "lorry": "What do you do first at the lorry?",
    "refuses": "What must you do?",
    "agrees": "What must you do?",
    "old": "Which rule is gone?",
}
STIMULI = {"refuses": "An adult tells you that she refuses.", "agrees": "An adult tells you that she agrees."}


def item(key: str) -> str:
    text = ITEM.format(key=key, outcome="see" if key in ("nail-bar", "lorry") else "say").replace(
        "What is it?", PROMPTS[key]
    )
    if key in STIMULI:
        text = text.replace("explanation =", f'stimulus = "{STIMULI[key]}"\nexplanation =')
    return text.replace('source = "1"', 'source = "1"\nretired = true') if key == "old" else text


@pytest.fixture
def reader(app, database, tmp_path) -> PortalClient:
    publish_sample(
        tmp_path,
        **{
            "sample__items__bank.toml": "".join(map(item, ("nail-bar", "lorry", "old"))),
            "sample__items__others.toml": item("refuses") + item("agrees"),
            "sample__lessons__second.md": lesson(outcomes='"say"'),
            "sample__lessons__third.md": lesson(),
            "sample__module.toml": MODULE.replace('["first", "second"]', '["first", "second", "third"]'),
        },
    )
    make_person_with("D3001", "author")
    return signed_in_client(app, "D3001")


@pytest.fixture
def author(reader) -> PortalClient:
    open_draft_page(reader)
    return reader


def titles(page: Page) -> list[str]:
    parts = [li for li in page.all("li") if (li.get("id") or "").startswith("item-")]
    return [words(next(li.iter("{http://www.w3.org/1999/xhtml}a"))) for li in parts]


def order() -> list[str]:
    return [place.key for place in item_files.read_items(queries.draft_files(queries.get_draft("sample")))]


def test_two_questions_that_ask_the_same_show_what_differs_and_retired_ones_stand_apart(author):
    page = author.page(DESK)

    assert titles(page) == [
        "1. What do you do first at the nail bar?",
        "2. What do you do first at the lorry?",
        "4. What must you do? – refuses.",
        "5. What must you do? – agrees.",
        "3. Which rule is gone?",
    ]
    assert [words(summary) for summary in page.all("summary")][-1] == "1 retired question, no longer drawn"


def test_the_published_module_counts_the_questions_that_are_drawn(reader):
    assert "Questions 4" in reader.page(DESK).text


def test_titles_are_told_apart_by_the_first_words_that_differ_else_by_their_names():
    asked = [{"prompt": f"{'The same beginning of a long question, ' * 3}{end}?"} for end in ("one", "two")]
    same = [{"prompt": "Why?", "key": key} for key in ("nail-bar", "lorry")]

    assert question_titles([*asked, *same], 60) == [
        "The same beginning of a long … one?",
        "The same beginning of a long … two?",
        "Why? (Nail bar)",
        "Why? (Lorry)",
    ]


@pytest.mark.parametrize(
    ("search", "found", "said"),
    [
        ("words=Gate", [], "No question matches."),
        ("words=first+LORRY", ["2."], "1 of 5 questions"),
        ("words=nail+bar", ["1."], "1 of 5 questions"),
        ("words=agrees", ["5."], "1 of 5 questions"),
        ("outcome=see", ["1.", "2."], "2 of 5 questions"),
        ("lesson=second", ["3.", "4.", "5."], "3 of 5 questions"),
        ("state=retired", ["3."], "1 of 5 questions"),
        ("state=in-use&outcome=say", ["4.", "5."], "2 of 5 questions"),
        ("state=put-right", [], "No question matches."),
    ],
)
def test_questions_are_searched_by_words_outcome_lesson_and_state(author, search, found, said):
    page = author.page(f"{DESK}?{search}")

    assert [title.split()[0] for title in titles(page)] == found
    assert said in page.text
    assert page.links["Clear filters"] == f"{DESK}#questions"
    assert not page.all("button", name="up", value="lorry")  # up and down speak of the whole list


def test_an_unknown_value_is_refused_beside_its_field(author):
    page = author.page(f"{DESK}?state=lost", 400)

    assert page.title.startswith("Error: ")
    assert any(address == "#state" for address in page.links.values())
    assert len(titles(page)) == 5


@pytest.mark.parametrize(
    ("key", "after", "result"),
    [
        ("old", "", ["old", "nail-bar", "lorry", "refuses", "agrees"]),
        ("nail-bar", "old", ["lorry", "old", "nail-bar", "refuses", "agrees"]),
        ("nail-bar", "refuses", ["lorry", "old", "refuses", "nail-bar", "agrees"]),
        ("agrees", "", ["agrees", "nail-bar", "lorry", "old", "refuses"]),
        ("lorry", "nail-bar", ["nail-bar", "lorry", "old", "refuses", "agrees"]),
        ("lorry", "lorry", ["nail-bar", "lorry", "old", "refuses", "agrees"]),
    ],
)
def test_a_question_is_moved_to_a_place_in_one_step(author, key, after, result):
    before = {place.key: place.table for place in _places()}

    author.press(author.page(DESK), "Move the question", move=key, after=after)

    assert order() == result
    assert {place.key: place.table for place in _places()} == before


def test_a_lesson_is_moved_to_a_place_in_one_step(author):
    page = author.press(author.page(DESK), "Move the lesson", move="first", after="third")
    assert content_types.lesson_keys(draft_file("module.toml").encode()) == ["second", "third", "first"]

    author.press(page, "Move the lesson", move="first", after="")
    assert content_types.lesson_keys(draft_file("module.toml").encode()) == ["first", "second", "third"]
    author.press(page, "Move the lesson", 404, move="first", after="gone")


def _places() -> list[item_files.ItemPlace]:
    return item_files.read_items(queries.draft_files(queries.get_draft("sample")))
