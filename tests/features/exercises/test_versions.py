"""Pages of exercises' versions: proposing by ZIP, reading, publishing by a second person, and files."""

import io
import re

import pytest

from portal.domain.catalogue import services as catalogue
from portal.features.exercises import versions
from portal.features.exercises.sources import MOST_ARCHIVE_BYTES, open_exercise, pack_exercise
from portal.features.exercises.versions import publish_exercise_files
from portal.features.exercises.views import ENVELOPE
from portal.platform import clock
from portal.platform.db import transaction
from tests.domain.catalogue.folders import write
from tests.features.exercises.folders import as_bytes, exercise_files
from tests.pages.authoring.desk import make_person_with, signed_in_client
from tests.pages.monitoring.counting import statements

KEY = "short-night"
LIST, PROPOSE = "/exercises/versions", "/exercises/versions/_propose"


@pytest.fixture(autouse=True)
def _people(database, tmp_path):
    with transaction():
        catalogue.publish_folder(write(tmp_path), at=clock.now())
    make_person_with("D3001", "author")
    make_person_with("D3002", "publisher")
    make_person_with("D3003", "author", "publisher")
    make_person_with("D5001", "facilitator")
    make_person_with("D1001")


@pytest.fixture
def author(app):
    return signed_in_client(app, "D3001")


@pytest.fixture
def publisher(app):
    return signed_in_client(app, "D3002")


def archive_with(**sheets: str) -> bytes:
    files = {**exercise_files(), **{f"{name}.md": text for name, text in sheets.items()}}
    return pack_exercise(KEY, as_bytes(files))


def send(client, content: bytes, note: str = "The first.", status: int = 200):
    file = (io.BytesIO(content), "exercise.zip")
    return client.press(client.page(PROPOSE), "Check it and send it", status, file=file, note=note)


def publish_first(by: int) -> None:
    with transaction():
        publish_exercise_files(KEY, as_bytes(exercise_files()), at=clock.now(), by=by)


def test_an_exercise_goes_from_its_author_through_a_second_person_to_facilitators(app, author, publisher):
    page = send(author, archive_with())
    assert page.h1 == "A short night: a new exercise"
    assert "Sent. A publisher who did not send it can publish it now." in page.text
    assert "Publish version 1" not in {button for form in page.forms() for button in form.buttons}

    page = publisher.page(LIST)
    assert "sent by Priya Shah" in page.text
    page = publisher.page(page.links[KEY])
    assert "“The first.”" in page.text
    assert "You can publish it all the same." in page.text  # it is shorter than the brief asks for
    assert "Release one of the two next injects to each syndicate." in page.text
    page = publisher.press(page, "Publish version 1")

    assert page.h1 == "A short night"
    assert "Version 1 is published." in page.text
    facilitator = signed_in_client(app, "D5001")
    page = facilitator.page(f"{LIST}/{KEY}/1")
    assert "By hand. After “Two ways”: They opened it · to syndicate 2, 1" in page.text
    assert "Response supervisor:" in page.text
    assert "How to reach NCCU" in page.text  # a detail that the force has not set, named for whoever reads


def test_a_proposal_is_on_the_desk_of_publishers_who_did_not_send_it(app, author, publisher):
    assert "1 exercise to read and publish" not in publisher.page("/desk").links
    send(author, archive_with())

    desk = publisher.page("/desk")
    assert publisher.page(desk.links["1 exercise to read and publish"]).path == LIST
    both = signed_in_client(app, "D3003")
    assert "1 exercise to read and publish" in both.page("/desk").links
    publisher.press(publisher.page(publisher.page(LIST).links[KEY]), "Publish version 1")
    send(both, archive_with(debrief="What next?\n"))
    assert "1 exercise to read and publish" in publisher.page("/desk").links
    assert "1 exercise to read and publish" not in both.page("/desk").links


def test_changes_are_shown_by_file_and_line(author, publisher):
    publish_first(make_person_with("D3009"))
    send(author, archive_with(debrief="What next?\n"), "It was vague.")

    page = publisher.page(publisher.page(LIST).links[KEY])

    assert page.h1 == "A short night, version 2: 1 file changed"
    assert [element.itertext().__next__() for element in page.all("del")] == [
        "What would you do differently tonight?"
    ]
    assert [element.itertext().__next__() for element in page.all("ins")] == ["What next?"]


def test_faults_are_listed_all_at_once_and_nothing_is_kept(author):
    page = send(author, archive_with(debrief="", briefing=""), status=400)

    assert "2 things to put right" in page.text
    assert "short-night/debrief.md: There is no such file, or nothing in it. Write it." in page.text
    assert KEY not in author.page(LIST).links
    assert "Say what you changed, and why" in send(author, archive_with(), note=" ", status=400).text


def test_a_zip_that_is_too_large_is_refused_before_it_is_read(author):
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="x.zip"\r\n\r\n'
    body += b"PK" + b"a" * (MOST_ARCHIVE_BYTES + ENVELOPE) + b"\r\n--x--\r\n"

    answer = author.post(PROPOSE, data=body, content_type="multipart/form-data; boundary=x")

    assert answer.status_code == 413


def test_nobody_publishes_what_they_sent(app):
    both = signed_in_client(app, "D3003")
    page = send(both, archive_with())

    assert "You sent this exercise yourself, so another publisher must read and publish it." in page.text
    token = page.form_with("Withdraw").fields["csrf_token"][0]
    address = both.page(LIST).links[KEY]
    refused = both.post(f"{address}/publish", data={"csrf_token": token})
    assert refused.status_code >= 400
    assert versions.newest_version(KEY) is None
    page = both.press(page, "Withdraw")
    assert "Withdrawn. You can send the exercise again." in page.text


def test_a_publisher_sends_back_with_a_reason_that_the_author_reads(author, publisher):
    send(author, archive_with())
    address = author.page(LIST).links[KEY]
    page = publisher.page(f"{address}/send-back")
    assert "Say what must change" in publisher.press(page, "Send back", 400, reason="").text
    publisher.press(page, "Send back", reason="The child is missing.")

    page = author.page(address)
    assert page.h1 == "A short night: sent back"
    assert "“The child is missing.”" in page.text
    assert "Withdraw" not in {button for form in page.forms() for button in form.buttons}


def test_the_folder_comes_back_as_a_zip_byte_for_byte(author):
    publish_first(make_person_with("D3009"))

    response = author.get(f"{LIST}/{KEY}/1.zip")

    assert response.headers["Content-Disposition"] == "attachment; filename=short-night-1.zip"
    assert open_exercise(response.data) == (KEY, dict(sorted(as_bytes(exercise_files()).items())))
    page = send(author, response.data, status=400)
    assert "This is version 1 as it is published. There is nothing to propose." in page.text


def test_pictures_and_sound_are_sent_under_their_hash_and_run_nothing(app, author):
    page = send(author, archive_with())
    proposed = re.findall(r'src="([^"]+box\.svg)"', page.html)[0]
    publish_first(make_person_with("D3009"))
    shown = author.page(f"{LIST}/{KEY}/1").html
    picture, sound = (re.findall(rf'src="([^"]+{name})"', shown)[0] for name in (r"box\.svg", r"call\.wav"))
    learner = signed_in_client(app, "D1001")

    assert proposed.startswith("/exercises/versions/_proposals/")
    for client, address, kind in (
        (author, proposed, "image/svg+xml; charset=utf-8"),
        (learner, picture, "image/svg+xml; charset=utf-8"),
        (learner, sound, "audio/wav"),
    ):
        response = client.get(address)
        assert (response.status_code, response.headers["Content-Type"]) == (200, kind)
        assert "sandbox" in response.headers["Content-Security-Policy"]
        assert "immutable" in response.headers["Cache-Control"]
    assert learner.get(picture.replace("box.svg", "other.svg")).status_code == 404
    assert author.get(proposed.replace("box.svg", "call.wav")).status_code == 404


def test_who_may_read_and_who_may_not(app, author):
    send(author, archive_with())
    address = author.page(LIST).links[KEY]
    publish_first(make_person_with("D3009"))
    learner, facilitator = signed_in_client(app, "D1001"), signed_in_client(app, "D5001")
    pages = (LIST, f"{LIST}/{KEY}/1", f"{LIST}/{KEY}/1.zip")

    assert [learner.get(page).status_code for page in (*pages, address, PROPOSE)] == [403] * 5
    assert [facilitator.get(page).status_code for page in (*pages, address, PROPOSE)] == [200] * 3 + [403] * 2
    unknown = (f"{LIST}/none/1", f"{LIST}/{KEY}/99999999999999999999", f"{LIST}/_proposals/9{'9' * 20}")
    assert [author.get(page).status_code for page in unknown] == [404] * 3


def test_a_list_needs_as_many_statements_for_several_as_for_one(author):
    publish_first(make_person_with("D3009"))
    author.page(LIST)
    with statements() as one:
        author.page(LIST)
    by = make_person_with("D3010")
    with transaction():
        for number in range(3):
            publish_exercise_files(f"night-{number}", as_bytes(exercise_files()), at=clock.now(), by=by)
    with statements() as several:
        author.page(LIST)
    assert len(several) == len(one)
