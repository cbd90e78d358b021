"""The desk's first page, a new module, the page of a draft, and its end."""

import pytest

from portal.domain.authoring import queries, services
from portal.platform.db import stamp, transaction
from tests.domain.catalogue.folders import ITEM, MODULE, lesson
from tests.page_reading import words
from tests.pages.account.browsing import another
from tests.pages.authoring.authors import (
    DESK,
    draft_file,
    error_sentences,
    open_draft,
    press_button,
    publish_sample_module,
    sign_in_author,
)
from tests.pages.monitoring.counting import statements


@pytest.fixture
def desk(client, tmp_path):
    """The published module, and an author signed in."""
    publish_sample_module(tmp_path)
    client.person = sign_in_author(client)
    return client


def dashboard_row(page) -> list[str]:
    return [words(cell) for cell in page.all("tbody")[0][0]]


def move_buttons(page, name: str) -> list[str]:
    return [button.get("value") for button in page.all("button", name=name)]


def test_the_desk_says_what_is_published_and_in_work(desk):
    page = desk.page("/authoring")
    assert dashboard_row(page) == [
        "Sample: a small module",
        "Version 1",
        "None",
        "Nobody",
        "31 May 2027",
        "Edit Sample: a small module",
    ]

    page = desk.press(page, "Edit Sample: a small module")
    assert "Draft of version 2" in page.text

    _, version, draft, who, _, _ = dashboard_row(desk.page("/authoring"))
    assert (version, draft) == ("Version 1", "Not changed yet")
    assert who.startswith("Priya Shahat ")


def test_a_publisher_reads_the_desk_and_changes_nothing(app, desk):
    open_draft(desk.person)
    publisher = another(app)
    sign_in_author(publisher, "D3002", "publisher")

    page = publisher.page(DESK)

    assert "New module" not in publisher.page("/authoring").links
    assert [list(form.buttons) for form in page.forms()] == [["Sign out"]]
    assert page.links["1. A lesson"] == f"{DESK}/preview/lessons/first"
    assert publisher.get(f"{DESK}/lessons/first").status_code == 403


def test_a_new_module_begins_with_a_whole_template(desk):
    page = desk.press(desk.page("/authoring/_new"), "Create the module", title="Search: a van", key="search")

    assert page.h1 == "Search: a van"
    assert "nothing is published yet" in page.text
    assert {"1. First lesson", "2. Second lesson"} <= set(page.links)
    assert draft_file("module.toml", "search").startswith('key = "search"')


@pytest.mark.parametrize(
    ("title", "key", "sentence"),
    [
        ("", "search", "Enter a title"),
        ("Search", "", "Enter a short name, such as “protect”"),
        (
            "Search",
            "Two Words",
            "Enter the short name with small letters, digits and hyphens, such as “protect”",
        ),
        ("Search", "sample", "There is already a module with the short name “sample”. Choose another"),
        ("x" * 121, "search", "This has 121 characters. Shorten it to 120 or fewer."),
    ],
)
def test_what_a_new_module_lacks_is_said_beside_its_field(desk, title, key, sentence):
    page = desk.press(desk.page("/authoring/_new"), "Create the module", title=title, key=key)

    assert error_sentences(page) == [sentence]
    form = page.form_with("Create the module")
    assert (form.fields["title"], form.fields["key"]) == ([title], [key])


def test_a_module_a_lesson_and_a_question_may_bear_the_words_of_the_desks_own_pages(desk):
    page = desk.press(desk.page("/authoring/_new"), "Create the module", title="New in post", key="new")
    assert (page.h1, desk.page("/authoring/new").h1) == ("New in post", "New in post")

    added = desk.press(
        desk.page("/authoring/new/lessons/_new"),
        "Add the lesson",
        title="New",
        minutes="2",
        outcomes="outcome-1",
    )
    assert (added.h1, desk.page("/authoring/new/lessons/new").h1) == ("New", "New")
    draft, path = queries.get_draft("new"), "items/items.toml"
    named = (
        queries.draft_files(draft)[path]
        .replace(b'"question-1"', b'"new"')
        .replace(b'"question-2"', b'"order"')
    )
    with transaction():
        services.save_files(
            draft.draft_id,
            {path: named},
            expected={path: draft.files[path]},
            summary="Named",
            by=desk.person,
            at=stamp(),
        )
    for number, key in enumerate(("new", "order"), 1):
        assert f"Write question {number} here." in desk.page(f"/authoring/new/items/{key}").text


def test_lessons_change_places_by_buttons(desk):
    open_draft(desk.person)
    page = desk.page(DESK)
    assert (move_buttons(page, "up"), move_buttons(page, "down")) == (["second", "two"], ["first", "one"])

    page = desk.press(page, "Up, lesson 2, A lesson", up="second")

    assert 'lessons = ["second", "first"]' in draft_file("module.toml")
    desk.press(page, "Down, lesson 1, A lesson", down="second")
    assert draft_file("module.toml") == MODULE


def test_a_finding_stands_beside_its_place(client, tmp_path):
    publish_sample_module(tmp_path)
    person = sign_in_author(client)
    draft = open_draft(person)
    broken = lesson("Read [this](lesson:nowhere).\n").encode()
    state = queries.get_draft("sample")
    with transaction():
        services.save_files(
            draft,
            {"lessons/second.md": broken},
            expected={"lessons/second.md": state.files["lessons/second.md"]},
            summary="Broken",
            by=person,
            at=stamp(),
        )

    page = client.page(DESK)

    assert "1 thing to put right" in page.text
    place = next(li for li in page.all("li") if li.get("id") == "lesson-second")
    assert "Put right “Read [this](lesson:nowhere).” There is no lesson “nowhere”" in words(place)


def test_as_many_statements_for_twenty_lessons_as_for_two(app, client, tmp_path):
    person = sign_in_author(client)

    def counted(name: str, number: int) -> int:
        listed = ", ".join(f'"l{n}"' for n in range(number))
        folder = {
            f"{name}/module.toml": MODULE.replace('"first", "second"', listed).replace("sample", name, 1),
            **{f"{name}/lessons/l{n}.md": lesson() for n in range(number)},
            f"{name}/items/bank.toml": _bank(),
        }
        with transaction():
            services.create_module_draft(name, "M", by=person, at=stamp())
        state = queries.get_draft(name)
        changes = {path.partition("/")[2]: text.encode() for path, text in folder.items()}
        changes |= {path: None for path in state.files if path not in changes}
        with transaction():
            services.save_files(
                state.draft_id,
                changes,
                expected={path: state.files.get(path) for path in changes},
                summary="Filled",
                by=person,
                at=stamp(),
            )
        client.page(f"/authoring/{name}")  # the check is kept in the process
        with statements() as few:
            client.page(f"/authoring/{name}")
        with statements() as editor:
            client.page(f"/authoring/{name}/lessons/l0")
        with statements() as question:
            client.page(f"/authoring/{name}/items/one")
        return len(few), len(editor), len(question)

    assert counted("small", 2) == counted("large", 20)


def test_a_draft_lists_the_statements_of_law_that_changed(desk):
    open_draft(desk.person)
    assert "Statements of law" not in desk.page(DESK).text

    press_button(desk, body="You must act within 72 hours.\n\nRest.\n")

    page = desk.page(DESK)
    assert "not as in version 1" in page.text
    assert "1 new or changed, 0 taken out" in page.text
    assert "You must act within 72 hours. Lesson 1, A lesson" in words(page.all("main")[0])


def _bank() -> str:
    return ITEM.format(key="one", outcome="see") + ITEM.format(key="two", outcome="say")


def test_discarding_says_what_is_given_up_and_leaves_the_published_version(desk):
    open_draft(desk.person)
    page = desk.page(f"{DESK}/discard")
    assert "Version 1 stays as it is" in page.text

    page = desk.press(page, "Discard the draft")

    assert "is discarded" in page.text
    assert page.form_with("Edit")


def test_discarding_is_refused_when_somebody_saved_meanwhile(desk):
    open_draft(desk.person)
    page = desk.page(f"{DESK}/discard")
    desk.press(desk.page(DESK), "Up, lesson 2, A lesson", up="second")

    page = desk.press(page, "Discard the draft")

    assert "Someone saved in this draft after you opened the page" in page.text
    assert "1 saved change will be lost" in page.text
