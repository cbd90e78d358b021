"""Whoever asks for a link or tries a password cannot tell from the time whether there is such an account."""

import http.client
import random
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter
from urllib.parse import urlencode

import pytest

from tests.domain.reminders.post_office import open_office
from tests.journeys.walking import ask
from tests.running import Server, make_force
from tests.times import FIGURE

pytestmark = [pytest.mark.sweep]

NAMES = 300  # known, and as many unknown
ROUNDS = 4  # each name is asked for, so that chance moves the rank test by about 0.012
LINKS, PASSWORDS = "/sign-in/help", "/sign-in"
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)')


class Asker:
    """One browser that sends one form again and again, each time from another address."""

    def __init__(self, server: Server, path: str) -> None:
        self._path = path
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        token = TOKEN.search(answer.read().decode())
        assert token
        self._token, self._cookie = token[1], (answer.getheader("Set-Cookie") or "").partition(";")[0]

    def close(self) -> None:
        self._connection.close()

    def ask(self, name: str, address: str, **more: str) -> tuple[float, tuple[int, bytes, str | None]]:
        """How long the answer took, and the answer."""
        body = urlencode({"csrf_token": self._token, "name": name, **more})
        headers = {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
        begun = perf_counter()
        self._connection.request("POST", self._path, body, {**headers, "X-Forwarded-For": address})
        answer = self._connection.getresponse()
        content = answer.read()
        return perf_counter() - begun, (answer.status, content, answer.getheader("Location"))


def rank_test(one: list[float], other: list[float]) -> float:
    """How often a value of the first list is the greater of two: 0.5 where nothing tells the lists apart."""
    places = sorted([(value, 1) for value in one] + [(value, 0) for value in other])
    ranks = sum(place for place, (_, is_first) in enumerate(places, 1) if is_first)
    return (ranks - len(one) * (len(one) + 1) / 2) / (len(one) * len(other))


def make_names(instance: Path) -> tuple[list[str], list[str]]:
    """A force in this folder: names of its people, and as many like them that nobody has."""
    instance.mkdir()
    make_force(instance, people=NAMES)
    rows = ask(instance, "SELECT staff_number FROM person_name ORDER BY 1 LIMIT ?", NAMES)
    known = [number for (number,) in rows]
    assert len(known) == NAMES
    return known, [f"X{number[1:]}" for number in known]


def compare_times(asker: Asker, known: list[str], unknown: list[str], **more: str) -> tuple[set, str]:
    """The answers, and the figures of their times; the times of the two lists are the same.

    Answers are compared without the name typed, which the page shows again.
    """
    tries = [(name, is_known) for is_known, names in ((True, known), (False, unknown)) for name in names]
    tries *= ROUNDS
    random.Random(300).shuffle(tries)
    seconds: dict[bool, list[float]] = {True: [], False: []}
    answers = set()
    for place, (name, is_known) in enumerate(tries):
        taken, (status, content, location) = asker.ask(
            name, f"192.0.{place // 250}.{place % 250 + 1}", **more
        )
        seconds[is_known].append(taken)
        answers.add((status, TOKEN.sub("", content.decode().replace(name, "")), location))
    auc = rank_test(seconds[True], seconds[False])
    medians = [1000 * median(seconds[is_known]) for is_known in (True, False)]
    assert 0.45 < auc < 0.55
    assert 0.9 < medians[0] / medians[1] < 1.1
    return answers, f"known {medians[0]:.2f} ms, unknown {medians[1]:.2f} ms, rank {auc:.3f}"


def test_the_time_of_an_answer_tells_nothing(tmp_path: Path, record_property) -> None:
    known, unknown = make_names(instance := tmp_path / "instance")
    with open_office() as office:
        more = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(office.port), "SMTP_TLS": "none"}
        more |= {"SMTP_FROM": "learning@westshire.example", "SMTP_PER_MINUTE": "60000"}
        server = Server(instance, more={**more, "TRUSTED_PROXIES": "127.0.0.0/8"}).start()
        try:
            with closing(Asker(server, LINKS)) as asker:
                answers, figures = compare_times(asker, known, unknown)
        finally:
            server.kill()
    record_property(FIGURE, f"links asked for: {figures}")
    assert len(answers) == 1


def test_the_time_of_a_wrong_password_tells_nothing(tmp_path: Path, record_property) -> None:
    known, unknown = make_names(instance := tmp_path / "instance")
    with closing(sqlite3.connect(instance / "portal.sqlite")) as database, database:
        (one_hash,) = database.execute("SELECT password_hash FROM credential LIMIT 1").fetchone()
        database.execute(
            "INSERT INTO credential (person_id, password_hash) SELECT person_id, ? FROM person_name "
            "WHERE person_id NOT IN (SELECT person_id FROM credential)",
            (one_hash,),
        )
    server = Server(instance, more={"TRUSTED_PROXIES": "127.0.0.0/8"}).start()
    try:
        with closing(Asker(server, PASSWORDS)) as asker:
            answers, figures = compare_times(asker, known, unknown, password="not the one of anybody")
    finally:
        server.kill()
    record_property(FIGURE, f"wrong passwords: {figures}")
    assert len(answers) == 1
