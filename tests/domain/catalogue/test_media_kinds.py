"""Every kind of medium from the folder through publishing to the page, with its words beside it."""

import pytest

from tests.domain.catalogue.folders import lesson, tree
from tests.domain.catalogue.kinds_of_media import FILES, SHOWN, TYPES, WORDS, write_media_module
from tests.domain.imports.rosters import run
from tests.page_reading import Page, PortalClient, words
from tests.pages.account.browsing import let_in, make_account

LESSON = "/learning/modules/sample/lessons/first"


@pytest.fixture
def page(app, client: PortalClient, tmp_path) -> Page:
    """The lesson with a figure of each kind, as a learner reads it."""
    done = run(app, "modules", "publish", write_media_module(tmp_path / "modules"))
    assert done.exit_code == 0, done.stderr
    make_account()
    let_in(client)
    return client.page(LESSON)


def media_addresses(page: Page) -> dict[str, str]:
    """Where each medium of the page is served, by its name."""
    found = [e.get("src") or e.get("href") or "" for e in page.root.iter() if e.get("src") or e.get("href")]
    return {address.rsplit("/", 1)[-1]: address for address in found if address.startswith("/media/")}


def test_each_figure_has_its_medium_and_its_words(page):
    figures = page.all("figure")

    assert len(figures) == len(SHOWN)
    for figure, name in zip(figures, SHOWN, strict=True):
        said = words(figure)
        assert WORDS[name] in said
        assert "And more of it." in said
        assert ("Read the transcript" in said) is (name in {"film.mp4", "call.mp3"})
    assert [i.get("alt") for i in page.all("img")] == [
        WORDS[n] for n in ("photo.png", "scan.jpg", "other.jpeg", "map.webp")
    ]


def test_sound_and_film_play_only_when_asked_and_film_has_captions(page):
    (film,), (sound,), (track,) = page.all("video"), page.all("audio"), page.all("track")

    for medium in (film, sound):
        assert medium.get("controls") is not None
        assert medium.get("autoplay") is None
        assert medium.get("preload") == "none"
    assert (track.get("kind"), track.get("srclang"), track.get("src")) == (
        "captions",
        "en",
        media_addresses(page)["film.vtt"],
    )


def test_each_is_served_as_what_it_is_and_runs_nothing(client, page):
    assert set(media_addresses(page)) == set(FILES)
    for name, address in media_addresses(page).items():
        response = client.get(address)
        assert (response.status_code, response.headers["Content-Type"]) == (200, TYPES[name])
        assert response.data == FILES[name]
        assert "sandbox" in response.headers["Content-Security-Policy"]
        downloaded = response.headers.get("Content-Disposition", "").startswith("attachment")
        assert downloaded is (name == "form.pdf")


def test_a_player_may_ask_for_a_part(client, page):
    response = client.get(media_addresses(page)["film.mp4"], headers={"Range": "bytes=4-7"})

    assert (response.status_code, response.data) == (206, b"ftyp")


def test_the_folder_comes_back_byte_for_byte(app, page, tmp_path):
    done = run(app, "modules", "export", "sample", tmp_path / "back")

    assert done.exit_code == 0, done.stderr
    exported = tree(tmp_path / "back")
    kept = tree(tmp_path / "modules" / "sample")
    assert kept in (exported, {path.removeprefix("sample/"): held for path, held in exported.items()})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sample/media/film.vtt": None}, "sample/media/film.mp4: Add captions beside it"),
        (
            {"sample/media/film.vtt": b"1\n00:00"},
            "sample/media/film.vtt: This is not a file that can be published",
        ),
        (
            {"sample/lessons/first.md": lesson("::: figure media/call.mp3\n:::\n")},
            "sample/lessons/first.md, line 7: Write the figure's content as text",
        ),
        (
            {"sample/lessons/first.md": lesson("::: figure media/form.pdf\n:::\n")},
            "sample/lessons/first.md, line 7: Write the figure's content as text",
        ),
        ({"sample/media/photo.png": FILES["scan.jpg"]}, "photo.png: This file ends in .png but is JPG"),
        ({"sample/media/form.pdf": b"<html>"}, "form.pdf: This is not a file that can be published"),
    ],
)
def test_a_medium_without_its_words_or_of_another_kind_is_refused(app, database, tmp_path, changes, reason):
    done = run(app, "modules", "publish", write_media_module(tmp_path / "modules", changes))

    assert done.exit_code == 1
    assert reason in done.stderr
