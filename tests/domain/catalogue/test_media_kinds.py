"""Every kind of medium from the folder through publishing to the page, with its words beside it."""

import pytest

from tests.domain.catalogue.folders import lesson, tree
from tests.domain.catalogue.kinds_of_media import FILES, PLAYED, SHOWN, TYPES, WORDS, write_media_module
from tests.domain.catalogue.sounds import make_vtt
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
        assert ("Read the transcript" in said) is (name in PLAYED)
    assert [i.get("alt") for i in page.all("img")] == [
        WORDS[n] for n in ("photo.png", "scan.jpg", "other.jpeg", "map.webp")
    ]


def test_sound_and_film_play_only_when_asked_and_have_captions_that_need_no_script(page):
    players, addresses = page.all("video"), media_addresses(page)

    assert [player.get("src") for player in players] == [addresses[name] for name in PLAYED]
    for player, name in zip(players, PLAYED, strict=True):
        (track,) = player.iter("{http://www.w3.org/1999/xhtml}track")
        assert (player.get("controls"), player.get("preload"), player.get("autoplay")) == ("", "none", None)
        assert (track.get("kind"), track.get("srclang"), track.get("default")) == ("captions", "en", "")
        assert track.get("src") == addresses[f"{name.partition('.')[0]}.vtt"]
        noun = "Film" if TYPES[name].startswith("video/") else "Sound"
        assert player.get("aria-label") == f"{noun}: {WORDS[name]}"
    assert page.all("audio") == []  # it would show no captions


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
        ({"sample/media/call.vtt": None}, "sample/media/call.mp3: Add captions beside it"),
        (
            {"sample/media/tone.vtt": make_vtt((0, 2, "On."), (2, 4, "Too long."))},
            "sample/media/tone.vtt, line 6: This caption ends after the sound or film, which is 3.0 seconds",
        ),
        (
            {"sample/media/radio.vtt": make_vtt((0, 2, "One."), (1, 3, "Two."))},
            "sample/media/radio.vtt, line 6: This caption begins before the one above it ends",
        ),
        (
            {"sample/lessons/first.md": lesson("::: figure media/call.mp3\nA call.\n:::\n")},
            "sample/lessons/first.md, line 7: Write a title, and below it the transcript",
        ),
        (
            {"sample/lessons/first.md": lesson("Nothing is shown.\n")},
            "sample/media/call.mp3: No text shows it, so it has no transcript",
        ),
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
