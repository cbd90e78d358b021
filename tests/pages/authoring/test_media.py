"""Media of a draft: known by what they hold, said in words, replaced without touching what is published."""

import re
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.domain.authoring import files, media, queries, reviews, services
from portal.domain.authoring.files import MEDIA_BYTES
from portal.domain.authoring.media import read_titles
from portal.domain.catalogue import services as catalogue
from portal.domain.catalogue.media_rules import FILM_BYTES
from portal.domain.catalogue.models import PackageFile
from portal.domain.people.models import PersonName
from portal.platform.db import db, stamp, transaction
from tests.domain.catalogue.folders import SVG, lesson, write
from tests.domain.catalogue.sounds import make_vtt, make_wav
from tests.factories.people import make_grant
from tests.page_reading import Form, Page, words
from tests.pages.account.browsing import let_in, make_account
from tests.pages.monitoring.counting import statements

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
BARE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/></svg>'
MEDIA = "/authoring/sample/media"


@pytest.fixture
def desk(client, tmp_path):
    """The sample module published, a draft of it open, and an author signed in."""
    with transaction():
        catalogue.publish_folder(write(tmp_path, {"sample/lessons/second.md": lesson(FIGURE)}), at=stamp())
    author = make_account("D3001")
    make_grant(author, "author")
    with transaction():
        services.open_draft("sample", by=author, at=stamp())
    let_in(client, "D3001")
    return client


FIGURE = "Look.\n\n::: figure media/box.svg\nA box.\n:::\n"


def upload_file(client, content: bytes, name: str, target: str = "", **fields: Any) -> Page:
    """Fill the form of files and press its button."""
    path = f"{MEDIA}?name={target}" if target else MEDIA
    form = client.page(path).form_with("Upload")
    response = post_file(client, form, content, name, **fields)
    assert response.status_code == 200
    return Page(response, path)


def post_file(
    client, form: Form, content: bytes, name: str, captions: bytes = b"", **fields: str
) -> TestResponse:
    """Send the form as a browser encodes it."""
    parts = {key: values[0] for key, values in form.fields.items()} | fields
    body = b"".join(
        f'--cut\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in parts.items()
    )
    head = f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'.encode()
    body += head + b"Content-Type: text/html\r\n\r\n" + content + b"\r\n"
    if captions:
        head = b'--cut\r\nContent-Disposition: form-data; name="captions"; filename="c.vtt"\r\n'
        body += head + b"Content-Type: text/vtt\r\n\r\n" + captions + b"\r\n"
    body += b"--cut--\r\n"
    kind = "multipart/form-data; boundary=cut"
    return client.post(form.action, data=body, content_type=kind, follow_redirects=True)


def draft_file(path: str) -> bytes:
    return queries.draft_files(queries.get_draft("sample"))[path]


def row_of(page: Page, name: str) -> str:
    return next(words(row) for row in page.all("tr") if words(row).startswith(name))


def error_sentences(page: Page) -> list[str]:
    assert page.title.startswith("Error: ")
    summary = page.all("div", class_="govuk-error-summary")[0]
    return [words(item) for item in summary.iter("{http://www.w3.org/1999/xhtml}li")]


def test_the_list_says_what_each_file_shows_and_where(desk):
    page = desk.page(MEDIA)

    assert page.h1 == "Figures and files"
    row = row_of(page, "box.svg")
    assert "Drawing, 1 KB" in row
    assert "A drawing" in row
    assert "A box." in row
    assert "A lesson" in row
    assert "::: figure media/box.svg" in row


CALL = make_vtt((0, 1, "<v Ana>Police, please.</v>"), (1, 2, "Where are you?"))


@pytest.mark.slow
def test_a_sound_comes_with_captions_in_step_and_a_transcript_and_is_shown(desk):
    texts = {"title": "A call", "alternative": "Ana: Police, please.\n\nControl: Where are you?"}
    place, sound = "lessons/second.md", make_wav(2)
    late = make_vtt((0, 9, "Police, please."))

    for fields, sentence in (
        ({}, media.TITLE_NEEDED),
        ({"title": "A call"}, media.TRANSCRIPT_NEEDED),
        (texts, media.CAPTIONS_NEEDED),
        (
            texts | {"captions": b"Police, please."},
            "Line 1 of the captions: The first line of captions must be",
        ),
        (texts | {"captions": late}, "Line 3 of the captions: This caption ends after the sound or film"),
        (texts | {"captions": CALL}, media.PLACE_NEEDED),
    ):
        (error,) = error_sentences(upload_file(desk, sound, "call.wav", **fields))
        assert error.startswith(sentence)
    page = upload_file(desk, sound, "call.wav", captions=CALL, place=place, **texts)

    assert "call.wav was added." in page.text
    assert (draft_file("media/call.wav"), draft_file("media/call.vtt")) == (sound, CALL)
    assert (
        draft_file(place)
        .decode()
        .endswith(
            "::: figure media/call.wav\nA call\n\nAna: Police, please.\n\nControl: Where are you?\n:::\n"
        )
    )
    assert "Wherever call.wav is" in row_of(page, "call.vtt")
    preview = desk.page("/authoring/sample/preview/lessons/second")
    (player,) = preview.all("video")
    assert "Control: Where are you?" in preview.text
    assert desk.get(player.get("src")).data == sound


@pytest.mark.slow
def test_captions_and_the_sound_that_they_are_of_are_replaced_only_while_they_are_in_step(desk):
    texts = {"title": "A call", "alternative": "Ana: Police.", "place": "lessons/second.md", "captions": CALL}
    upload_file(desk, make_wav(2), "call.wav", **texts)

    shorter = upload_file(desk, make_wav(1), "x.wav", target="call.wav")
    late = upload_file(desk, make_vtt((0, 9, "x")), "x.vtt", target="call.vtt")
    good = upload_file(desk, make_vtt((0, 2, "Police.")), "x.vtt", target="call.vtt")
    alone = upload_file(desk, CALL, "other.vtt", title="x", alternative="x")

    assert error_sentences(shorter)[0].startswith("Line 6 of the captions: This caption ends after")
    assert error_sentences(late)[0].startswith("Line 3 of the captions: This caption ends after")
    assert "call.vtt was replaced." in good.text
    assert error_sentences(alone) == [media.CAPTIONS_ALONE]


@pytest.mark.slow
def test_a_drawing_without_texts_gets_those_that_were_typed(desk):
    page = upload_file(desk, BARE, "Two areas.svg")
    assert error_sentences(page) == ["Enter a title: the drawing has none"]

    page = upload_file(desk, BARE, "Two areas.svg", title="Two <areas>", alternative="One & two.")

    assert "two-areas.svg was added." in page.text
    assert read_titles(draft_file("media/two-areas.svg")) == ("Two <areas>", "One & two.")
    assert "Nowhere" in row_of(page, "two-areas.svg")


def test_a_picture_goes_into_a_lesson_with_its_words(desk):
    texts = {"title": "A van", "alternative": "A white van at night."}
    assert error_sentences(upload_file(desk, PNG, "van.png", **texts)) == [media.PLACE_NEEDED]

    page = upload_file(desk, PNG, "van.png", place="lessons/second.md", **texts)

    assert "It is shown at the end of “A lesson”." in page.text
    assert draft_file("media/van.png") == PNG
    assert draft_file("lessons/second.md").decode() == lesson(FIGURE) + (
        "\n::: figure media/van.png\nA van\n\nA white van at night.\n:::\n"
    )
    reading = catalogue.check_files("sample", queries.draft_files(queries.get_draft("sample")))
    assert reading.faults.sentences() == []
    assert 'alt="A van"' in reading.modules[0].lessons[1].html
    assert queries.get_draft("sample").number == 2


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"<html>", "x.png", media.WRONG_KIND),
        (BARE.replace(b"<rect", b'<image href="//evil.example"/><rect'), "x.svg", "<image>"),
        (SVG.encode(), "box.svg", "There is a file “box.svg” already"),
    ],
)
def test_a_refused_file_changes_nothing_and_says_why(desk, content, name, said):
    page = upload_file(desk, content, name, title="A", alternative="B")

    assert said in error_sentences(page)[0]
    assert page.all("input", name="title")[0].get("value") == "A"
    assert queries.get_draft("sample").number == 1


def test_no_file_at_all_is_asked_for(desk):
    form = desk.page(MEDIA).form_with("Upload")
    response = desk.post(form.action, data=form.fields, content_type="multipart/form-data")

    assert error_sentences(Page(response, MEDIA)) == ["Choose a file"]


@pytest.mark.slow
def test_a_replacement_serves_new_bytes_and_what_is_published_keeps_its_own(desk):
    old = db.session.scalars(select(PackageFile).where(PackageFile.path == "media/box.svg")).one()
    published = f"/media/{old.sha256}/box.svg"
    new = SVG.replace("A drawing", "Another").encode()

    page = upload_file(desk, new, "whatever.svg", target="box.svg")

    assert "box.svg was replaced." in page.text
    assert draft_file("media/box.svg") == new
    address = page.links["box.svg"]
    assert address.startswith(f"{MEDIA}/")
    assert desk.get(address).data == new
    assert desk.get(published).data == SVG.encode()
    assert desk.get(address.replace("box.svg", "other.svg")).status_code == 404
    assert desk.get(f"{MEDIA}/{'0' * 64}/box.svg").status_code == 404
    assert desk.get(address.replace("/sample/", "/another/")).status_code == 404
    again = desk.get(f"{MEDIA}/{old.sha256}/box.svg")  # of the draft's first state
    assert again.data == SVG.encode()


def test_a_draft_s_media_are_served_as_published_ones_are(desk):
    old = db.session.scalars(select(PackageFile.sha256).where(PackageFile.path == "media/box.svg")).one()

    one = desk.get(f"{MEDIA}/{old}/box.svg").headers
    other = desk.get(f"/media/{old}/box.svg").headers

    for name in ("Content-Type", "Content-Security-Policy", "X-Content-Type-Options", "Cache-Control"):
        assert one[name] == other[name]
    assert one["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert one["Content-Type"] == "image/svg+xml; charset=utf-8"


def test_a_preview_shows_the_draft_s_own_media(desk):
    state = queries.get_draft("sample")
    html = queries.check_draft_hashes("sample", state.files).modules[0].lessons[1].html

    found = re.search(r'<img src="([^"]+)"', html)
    assert found
    assert found[1] == f"{MEDIA}/{state.files['media/box.svg']}/box.svg"
    assert desk.get(found[1]).data == SVG.encode()


def test_a_drawing_for_phones_is_added_beside_the_wide_one(desk):
    page = desk.page(desk.page(MEDIA).links["Add a drawing for phones to box.svg"])
    assert page.h1 == "Add a drawing for phones to box.svg"

    page = upload_file(desk, BARE, "n.svg", target="box.narrow.svg")

    assert "The phone version of box.svg." in row_of(page, "box.narrow.svg")
    assert "Add a drawing for phones to box.svg" not in page.links
    html = (
        catalogue.check_files("sample", queries.draft_files(queries.get_draft("sample")))
        .modules[0]
        .lessons[1]
    )
    assert "box.narrow.svg" in html.html


def test_what_is_shown_somewhere_is_not_removed(desk):
    page = desk.page(f"{MEDIA}/box.svg/remove")

    assert page.h1 == "box.svg is shown, so it stays"
    assert "A lesson" in page.links
    assert not any("Remove the file" in form.buttons for form in page.forms())
    token = desk.page(MEDIA).form_with("Upload").fields["csrf_token"]
    desk.post(f"{MEDIA}/box.svg/remove", data={"csrf_token": token})
    assert draft_file("media/box.svg")


@pytest.mark.slow
def test_what_is_shown_nowhere_is_removed_with_what_belongs_to_it(desk):
    upload_file(desk, SVG.encode(), "spare.svg")
    upload_file(desk, BARE, "n.svg", target="spare.narrow.svg")

    page = desk.page(f"{MEDIA}/spare.svg/remove")
    assert "This also removes spare.narrow.svg" in page.text
    page = desk.press(page, "Remove the file")

    assert "spare.svg was removed." in page.text
    assert [path for path in queries.get_draft("sample").files if "spare" in path] == []
    desk.page(f"{MEDIA}/spare.svg/remove", status=404)


@pytest.mark.slow
def test_a_replacement_of_what_somebody_changed_meanwhile_is_not_silent(desk):
    shown = desk.page(f"{MEDIA}?name=box.svg").form_with("Upload")
    other = SVG.replace("A box", "Theirs").encode()
    upload_file(desk, other, "x.svg", target="box.svg")

    mine = SVG.replace("A box", "Mine").encode()
    response = post_file(desk, shown, mine, "y.svg")

    page = Page(response, "stale")
    assert error_sentences(page)[0].startswith("Someone changed this after you opened the page.")
    assert draft_file("media/box.svg") == other
    again = post_file(desk, page.form_with("Upload"), mine, "y.svg")
    assert "box.svg was replaced." in again.get_data(as_text=True)
    assert draft_file("media/box.svg") == mine


def test_a_removal_of_what_somebody_changed_meanwhile_is_not_silent(desk):
    upload_file(desk, SVG.encode(), "spare.svg")
    shown = desk.page(f"{MEDIA}/spare.svg/remove")
    other = SVG.replace("A box", "Theirs").encode()
    upload_file(desk, other, "x.svg", target="spare.svg")

    page = desk.press(shown, "Remove the file")

    assert "Someone changed this after you opened the page." in page.text
    assert draft_file("media/spare.svg") == other


def test_a_draft_with_too_many_files_takes_no_more(desk, monkeypatch):
    monkeypatch.setattr(files, "DRAFT_FILES", 3)

    page = upload_file(desk, SVG.encode(), "one-more.svg")

    assert "A module may have up to 3 files" in error_sentences(page)[0]


@pytest.mark.slow
def test_nothing_is_uploaded_while_a_draft_is_reviewed(desk):
    author = db.session.scalars(select(PersonName.person_id).where(PersonName.staff_number == "D3001")).one()
    form = desk.page(MEDIA).form_with("Upload")
    draft_id = queries.get_draft("sample").draft_id
    upload_file(desk, SVG.encode(), "a.svg")
    with transaction():
        reviews.send_for_review(draft_id, note="Please read.", by=author, at=stamp())

    page = desk.page(MEDIA)
    assert "Withdraw it from review" in page.text
    assert not any("Upload" in shown.buttons for shown in page.forms())
    assert post_file(desk, form, SVG.encode(), "b.svg").status_code == 409
    assert "b.svg" not in str(queries.get_draft("sample").files)


def test_an_upload_may_have_five_megabytes_and_other_requests_may_not(desk):
    texts = {"title": "A", "alternative": "B", "place": "lessons/second.md"}
    page = upload_file(desk, PNG + b"\0" * (MEDIA_BYTES - len(PNG)), "large.png", **texts)
    assert "large.png was added." in page.text

    form = desk.page(MEDIA).form_with("Upload")
    assert "Make it smaller" in error_sentences(upload_file(desk, PNG + b"\0" * MEDIA_BYTES, "x.png"))[0]
    response = post_file(desk, form, PNG + b"\0" * (FILM_BYTES + 1024 * 1024), "x.png")
    assert response.status_code == 413
    assert "The file is too large" in response.get_data(as_text=True)
    other = desk.page(f"{MEDIA}/large.png/remove")
    elsewhere = Form(f"{MEDIA}/box.svg/remove", "post", form.fields, [])
    assert post_file(desk, elsewhere, b"\0" * 3 * 1024 * 1024, "x.png").status_code == 413
    assert other.h1 == "large.png is shown, so it stays"


def test_a_publisher_reads_the_list_and_changes_nothing(app, desk):
    publisher = make_account("D3002")
    make_grant(publisher, "publisher")
    browser = type(desk)(app)
    let_in(browser, "D3002")

    page = browser.page(MEDIA)

    assert "A box." in row_of(page, "box.svg")
    assert not any("Upload" in form.buttons for form in page.forms())
    assert "Replace box.svg" not in page.links
    token = browser.page("/account").forms()[0].fields["csrf_token"]
    assert browser.post(MEDIA, data={"csrf_token": token}).status_code == 403
    assert browser.get(page.links["box.svg"]).status_code == 200


def test_two_files_and_twenty_cost_the_same(desk):
    author = db.session.scalars(select(PersonName.person_id).where(PersonName.staff_number == "D3001")).one()
    counts = []
    for number in (2, 20):
        changes = {f"media/{number}-{n}.svg": SVG.encode() + b"\n" * n for n in range(number)}
        with transaction():
            state = queries.get_draft("sample")
            services.save_files(state.draft_id, changes, expected={}, summary="Files", by=author, at=stamp())
        with statements() as run:
            desk.page(MEDIA)
        counts.append(len([line for line in run if not line.startswith(("BEGIN", "SAVEPOINT", "RELEASE"))]))

    assert counts[0] == counts[1]
