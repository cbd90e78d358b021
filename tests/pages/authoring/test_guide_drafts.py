"""Guides at the desk: edited, read by a second person, published, and asked to be acknowledged again."""

from datetime import date
from pathlib import Path

import pytest

from portal.domain import guides
from portal.domain.authoring import queries, reviews, services
from portal.domain.authoring.errors import KeyTakenError, OutdatedDraftError, OwnWorkError
from portal.domain.catalogue import services as catalogue
from portal.domain.catalogue.publishing import current_guide, guide_files, numbered_guide
from portal.domain.catalogue.search import search_content
from portal.domain.learning.queries import readable_versions
from portal.platform import clock
from portal.platform.db import stamp, transaction
from portal.platform.errors import RuleError
from tests.domain.catalogue.folders import SVG, tree, write
from tests.factories.people import make_person, make_unit
from tests.page_reading import words
from tests.pages.authoring.authors import error_sentences
from tests.pages.authoring.desk import make_person_with, signed_in_client
from tests.pages.guides.test_views import GUIDE

MODULES = Path(__file__).resolve().parents[3] / "modules"
KEY = "_guides/whom-to-call"
DESK = f"/authoring/{KEY}"
TEXT = f"{DESK}/text"
FILE = "whom-to-call.md"
CALLED = "Ring 999 at once."


@pytest.fixture
def folder(database, tmp_path) -> Path:
    """A published guide."""
    write(tmp_path, {f"_guides/{FILE}": GUIDE, "_guides/media/box.svg": SVG})
    with transaction():
        catalogue.publish_folder(tmp_path, at=stamp())
    return tmp_path


@pytest.fixture
def author(app, folder):
    return _client_of(app, "D3001", "author")


@pytest.fixture
def publisher(app, folder):
    return _client_of(app, "D3002", "publisher", "author")


def _client_of(app, staff_number, *roles):
    person = make_person_with(staff_number, *roles)
    client = signed_in_client(app, staff_number)
    client.person = person
    return client


def save_guide(client, **typed):
    """The guide's draft with these fields saved."""
    if "Edit" in client.page(DESK).text and queries.open_draft_id(KEY) is None:
        client.press(client.page(DESK), "Edit")
    page = client.page(TEXT)
    typed = {"body": page.form_with("Save and preview").fields["body"][0] + f"\n\n{CALLED}"} | typed
    return client.press(page, "Save and preview", save="yes", **typed)


def send_guide(client) -> None:
    client.press(client.page(f"{DESK}/review/send"), "Send for review", note="The number was missing.")


def saved_files() -> dict[str, bytes]:
    return queries.draft_files(queries.get_draft(KEY))


@pytest.mark.slow
def test_a_guide_is_edited_reviewed_and_published_by_two_people(author, publisher):
    before = guide_files(current_guide("whom-to-call").id)
    page = save_guide(author)

    assert (page.h1, CALLED in page.text) == ("Whom to call", True)
    assert saved_files()[FILE] == before[FILE].rstrip(b"\n") + f"\n\n{CALLED}\n".encode()
    assert search_content("999", readable_versions(0)).total == 0  # a draft is found by nobody
    send_guide(author)
    page = publisher.page(f"{DESK}/review")
    assert page.h1 == "Whom to call, version 2: 1 change since version 1"
    assert "at the end" in page.text
    reviewed = saved_files()
    page = publisher.press(page, "Publish version 2")

    assert "Version 2 of Whom to call is published." in page.text
    version = current_guide("whom-to-call")
    assert (version.number, version.published_by_id) == (2, publisher.person)
    assert guide_files(version.id) == reviewed
    assert guide_files(numbered_guide("whom-to-call", 1).id) == before
    (hit,) = search_content("999", readable_versions(0)).hits
    assert (hit.address, hit.title) == ("/guides/whom-to-call?place=8#place", "Then the control room")
    assert CALLED in author.page("/guides/whom-to-call").text


def test_a_form_that_says_nothing_else_changes_no_byte(author):
    author.press(author.page(DESK), "Edit")
    before = saved_files()

    author.press(author.page(TEXT), "Save and preview", save="yes")

    assert (saved_files(), queries.get_draft(KEY).number) == (before, 1)


def test_what_a_list_says_of_it_is_edited_too(author):
    save_guide(author, summary="By day and by night.", owner="NCCU", review_on="1 June 2027", acknowledge=[])

    text = saved_files()[FILE].decode()
    assert 'summary = "By day and by night."' in text
    assert 'owner = "NCCU"\nreview_on = 2027-06-01\nacknowledge = false\n' in text
    page = author.page(f"{DESK}/preview")
    assert ("By day and by night." in page.text, "confirm that they have read" in page.text) == (True, False)


def test_a_day_that_is_none_is_refused(author):
    page = save_guide(author, review_on="soon")

    assert error_sentences(page) == ["Enter a date, such as 31 May 2027"]
    assert queries.get_draft(KEY).number == 1


@pytest.mark.slow
def test_publishing_says_who_is_asked_again(app, author, publisher):
    unit = make_unit("Response")
    readers = [make_person(unit, staff_number=f"R{n}") for n in range(3)]
    for each in (*readers, make_person(unit, staff_number="LEFT", until=date(2025, 12, 31))):
        with transaction():
            guides.acknowledge_guide(each, "whom-to-call", 1, at=stamp())
    save_guide(author)
    send_guide(author)

    page = publisher.page(f"{DESK}/review")

    assert "3 people acknowledged version 1; they will be asked to confirm again." in page.text
    publisher.press(page, "Publish version 2")
    assert "I have read this guide" in author.page("/guides/whom-to-call").text
    with pytest.raises(RuleError, match="A newer version"), transaction():
        guides.acknowledge_guide(readers[0], "whom-to-call", 1, at=stamp())


def test_nobody_publishes_what_they_changed(author, publisher):
    save_guide(publisher)
    send_guide(author)
    page = publisher.page(f"{DESK}/review")
    review = queries.get_draft(KEY).review.review_id

    assert "You changed this draft yourself" in page.text
    assert not any("Publish version 2" in form.buttons for form in page.forms())
    with pytest.raises(OwnWorkError), transaction():
        reviews.publish_review(review, by=publisher.person, at=stamp())


def test_a_save_that_comes_late_shows_both_texts(author, publisher):
    author.press(author.page(DESK), "Edit")
    page = author.page(TEXT)
    publisher.press(publisher.page(TEXT), "Take over")
    save_guide(publisher, summary="Theirs.")

    late = author.press(page, "Save and preview", 409, save="yes", summary="Mine.")

    assert late.h1 == "Priya Shah saved this after you opened it"
    assert ("Theirs." in late.text, "Mine." in late.text) == (True, True)
    author.press(late, "Keep mine", save="yes")
    assert 'summary = "Mine."' in saved_files()[FILE].decode()
    assert "acknowledge = true" in saved_files()[FILE].decode()


def test_what_cannot_be_published_stands_beside_the_text_and_in_the_way(author):
    page = save_guide(author, body="See [this](guide:nowhere).")

    assert "Put right" in page.text
    assert "Not ready for review" in author.page(f"{DESK}/review/send").h1
    assert "1 thing to put right" in author.page(DESK).text


LONG = (
    "The authorisation of interrogation-related documentation necessitates consideration of organisational"
    " responsibilities, jurisdictional particularities and administrative accountability notwithstanding "
    "operational considerations. " * 3
)


@pytest.mark.parametrize(
    ("body", "said", "quoted"),
    [
        (
            "Ring the QXT at once.",
            "“QXT” is not spelled out. Write it in full once, followed by (QXT).",
            "QXT",
        ),
        ("Ring the QXT at once.", "“QXT” is not in the glossary. Write its words instead.", "QXT"),
        ("As section 24 says.", "“section 24” is quoted without its Act. Name the Act and its year.", "24"),
        ("From 2026-04-30 on.", "“2026-04-30” is not how dates are written here.", "2026"),
        ("## A\n\n## B\n\nText.", "There is nothing below this heading.", "## A"),
        ("### A\n\nText.", "This heading skips a level. Write ## before it.", "### A"),
        ("To be confirmed.", "“To be confirmed” looks like something still to be written.", "To be"),
        (LONG, "The text reads at grade ", ""),
        (
            "::: figure media/box.svg\nA box.\n:::",
            "There is no drawing for phones. Draw the figure once more",
            "",
        ),
    ],
)
def test_advice_of_the_check_stands_beside_the_text_and_not_in_the_way(author, body, said, quoted):
    page = save_guide(author, body=f"First words.\n\n{body}\n")

    advice = [words(each) for each in page.all("li") if said in words(each)]
    assert len(advice) == 1
    assert advice[0].startswith("Consider")
    assert quoted in advice[0]
    assert said in author.page(DESK).text
    assert author.page(f"{DESK}/review/send").h1 != "Not ready for review"


@pytest.mark.slow
def test_a_guide_as_it_is_shipped_has_nothing_to_consider(app, database):
    with transaction():
        catalogue.publish_folder(MODULES, at=stamp())
    made = make_person_with("D3001", "author")
    for key in ("_guides/who-to-call", "_guides/intelligence-document"):
        with transaction():
            services.open_draft(key, by=made, at=clock.now())
        page = signed_in_client(app, "D3001").page(f"/authoring/{key}")
        assert ("Consider" in page.text, "Put right" in page.text) == (False, False)


def upload_medium(client, name="unshown.svg") -> None:
    state = queries.get_draft(KEY)
    path = f"media/{name}"
    with transaction():
        services.save_files(
            state.draft_id,
            {path: SVG.encode()},
            expected={path: None},
            summary="Added",
            by=client.person,
            at=clock.now(),
        )


UNSHOWN = (
    "Nothing that readers see has changed since the published version. A file is published only if the"
    " guide’s text shows it."
)


def test_a_medium_that_the_text_does_not_show_is_nothing_to_review(author, publisher):
    author.press(author.page(DESK), "Edit")
    upload_medium(author)
    draft = queries.get_draft(KEY)
    page = author.page(f"{DESK}/review/send")
    assert UNSHOWN in page.text

    with pytest.raises(RuleError, match="Nothing that readers see has changed"), transaction():
        reviews.send_for_review(draft.draft_id, note="Now", by=author.person, at=clock.now())

    body = author.page(TEXT).form_with("Save and preview").fields["body"][0]
    save_guide(author, body=f"{body}\n\n::: figure media/unshown.svg\nA box.\n:::\n")
    send_guide(author)
    page = publisher.press(publisher.page(f"{DESK}/review"), "Publish version 2")
    assert "Version 2 of Whom to call is published." in page.text
    assert "media/unshown.svg" in guide_files(current_guide("whom-to-call").id)


def test_a_shown_medium_that_changed_is_something_to_review(author):
    author.press(author.page(DESK), "Edit")
    state = queries.get_draft(KEY)
    with transaction():
        services.save_files(
            state.draft_id,
            {"media/box.svg": SVG.replace("</svg>", " </svg>").encode()},
            expected={"media/box.svg": state.files["media/box.svg"]},
            summary="Redrawn",
            by=author.person,
            at=clock.now(),
        )

    assert reviews.list_obstacles(queries.get_draft(KEY)) == []


def test_a_new_guide_is_found_by_its_readers_only_once_published(author, publisher):
    key = "_guides/new"
    page = author.press(
        author.page("/authoring/_guides/_new"), "Create the guide", title="At the border", key="new"
    )
    assert page.h1 == "At the border"
    assert "the template’s text" in page.text
    assert author.get("/guides/new").status_code == 404
    edited_page = author.press(
        page, "Save and preview", save="yes", summary="Who is there.", body="## Ports\n\nRing first.\n"
    )
    assert "nothing to put right" in edited_page.text
    author.press(author.page(f"/authoring/{key}/review/send"), "Send for review", note="It was missing.")
    page = publisher.page(f"/authoring/{key}/review")
    assert page.h1 == "At the border, version 1: a new guide"
    publisher.press(page, "Publish version 1")

    assert author.page("/guides/new").h1 == "At the border"
    assert "At the border" in author.page("/authoring").text


def test_a_guide_may_be_named_like_a_module_and_like_a_page_of_the_desk(author):
    for name in ("sample", "details", "history", "preview", "lessons"):
        with transaction():
            services.create_guide_draft(name, name.capitalize(), by=author.person, at=clock.now())
        assert author.page(f"/authoring/_guides/{name}").h1 == name.capitalize()
        assert author.page(f"/authoring/_guides/{name}/history").h1 == "History of the draft"
    with pytest.raises(KeyTakenError, match="There is a guide “sample” already"), transaction():
        services.create_guide_draft("sample", "Sample", by=author.person, at=clock.now())


def test_a_version_published_from_a_folder_is_brought_in(author, folder):
    save_guide(author)
    (folder / "_guides" / FILE).write_text(GUIDE.replace('owner = "', 'owner = "The new '))
    with transaction():
        catalogue.publish_folder(folder, at=stamp())
    draft = queries.get_draft(KEY)
    assert (draft.is_behind, draft.base_number, draft.published_number) == (True, 1, 2)
    with pytest.raises(OutdatedDraftError), transaction():
        reviews.send_for_review(draft.draft_id, note="Now", by=author.person, at=clock.now())

    author.press(author.page(f"{DESK}/bring-in"), "Bring version 2 in")

    text = saved_files()[FILE].decode()
    assert ('owner = "The new ' in text, CALLED in text) == (True, True)
    assert (queries.get_draft(KEY).is_behind, queries.get_draft(KEY).base_number) == (False, 2)
    author.press(author.page(f"{DESK}/history"), "Bring this back, state 1", number="1")
    assert (queries.get_draft(KEY).is_behind, CALLED in saved_files()[FILE].decode()) == (True, False)


def test_a_file_that_has_no_place_in_a_guide_is_refused(author):
    author.press(author.page(DESK), "Edit")
    draft = queries.get_draft(KEY)

    for path in ("module.toml", "lessons/first.md", "other.md"):
        with pytest.raises(RuleError, match="does not belong in a guide"), transaction():
            services.save_files(
                draft.draft_id,
                {path: b"+++\n+++\n"},
                expected={path: None},
                summary="Added",
                by=author.person,
                at=clock.now(),
            )
    with pytest.raises(RuleError, match="A guide must have"), transaction():
        services.save_files(
            draft.draft_id,
            {FILE: None},
            expected={FILE: draft.files[FILE]},
            summary="Gone",
            by=author.person,
            at=clock.now(),
        )


def test_its_figures_are_listed_and_served_and_a_module_has_none_of_its_pages(author):
    author.press(author.page(DESK), "Edit")
    page = author.page(f"{DESK}/media")

    assert "The guide’s text" in page.text
    image = next(img.get("src") for img in page.all("img") if "box.svg" in img.get("src"))
    assert (image.startswith(f"{DESK}/media/"), author.get(image).status_code) == (True, 200)
    shown = next(
        img.get("src") for img in author.page(TEXT).all("img") if "box.svg" in (img.get("src") or "")
    )
    assert shown == image
    for path in ("details", "lessons/first", "items/one", "job-aid", "statistics"):
        assert author.get(f"{DESK}/{path}").status_code == 404
    assert author.get("/authoring/sample/text").status_code == 404


def test_a_guide_is_exported_byte_for_byte(app, folder, tmp_path_factory):
    target = tmp_path_factory.mktemp("out") / "guide"

    result = app.test_cli_runner().invoke(args=["modules", "export", KEY, str(target)])

    assert result.output == f"{KEY}: 2 files written to {target}.\n"
    assert tree(target) == tree(folder / "_guides")
    missing = app.test_cli_runner().invoke(args=["modules", "export", "_guides/none", str(target / "x")])
    assert (missing.exit_code, "The guide “none” is not published." in missing.output) == (1, True)


def test_a_draft_is_discarded_and_the_guide_stays(author):
    save_guide(author)

    page = author.press(author.page(f"{DESK}/discard"), "Discard the draft")

    assert (page.h1, "version 1 is published" in page.text) == ("Whom to call", True)
    assert current_guide("whom-to-call").number == 1
