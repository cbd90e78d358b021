"""A file as large as a page takes, and a larger one: the server's memory, and what the person reads."""

import http.client
import secrets

import pytest

from benchmarks.browser import FORM, Browser, form_fields
from benchmarks.serving import Server as Watched
from benchmarks.serving import Watch
from tests.journeys.places import ADMINISTRATOR
from tests.running import PASSWORD, Server

pytestmark = [pytest.mark.sweep, pytest.mark.slow]
MEBIBYTE = 1024 * 1024
MOST_MORE = {24: 450, 26: 40}  # MiB, over all processes: a process of its own reads rows, and ends
ROW = b"W-100001,Fictional,Ann,a.fictional@westshire.example,R1,2026-01-05\n"
HEAD = b"staff_number,family_name,given_name,email,unit,from_on\n"


def send_roster(server: Server, browser: Browser, size: int) -> tuple[int, str]:
    """Send a roster of this many bytes with the form of the first page; the status and the page."""
    page = browser.page("/imports/roster/new")
    form = next(inside for _, inside in FORM.findall(page.text) if 'type="file"' in inside)
    content = HEAD + ROW * ((size - len(HEAD)) // len(ROW))
    mark = secrets.token_hex(12)
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form_fields(form, "Continue").items()
        if name != "file"
    ]
    parts.append(
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="large.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n".encode()
    )
    body = b"".join((*parts, content, f"\r\n--{mark}--\r\n".encode()))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    try:
        connection.request(
            "POST",
            page.path,
            body,
            {
                "Content-Type": f"multipart/form-data; boundary={mark}",
                "Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items()),
                "Origin": server.address,
            },
        )
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("megabytes", "status", "words"),
    [
        (24, 200, "The file has more than 300,000 rows: split it."),
        (26, 413, "larger than 25 MB, the most that this page takes."),
    ],
)
def test_memory_stays_bounded_and_the_page_names_the_limit(server: Server, megabytes, status, words) -> None:
    with Browser(server.port) as browser:
        browser.sign_in(ADMINISTRATOR, PASSWORD)
        with Watch(Watched(server.process, server.port), every=0.05) as watch:
            answered, page = send_roster(server, browser, megabytes * MEBIBYTE)
    assert answered == status
    assert words in " ".join(page.split())
    assert watch.peak - watch.first < MOST_MORE[megabytes]
