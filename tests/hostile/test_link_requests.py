"""Whoever asks for a link cannot tell from the time of the answer whether there is such an account."""

import http.client
import random
import re
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
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)')


class Asker:
    """One browser that asks again and again, each time from another address."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self._connection.request("GET", "/sign-in/help")
        answer = self._connection.getresponse()
        token = TOKEN.search(answer.read().decode())
        assert token
        self._token, self._cookie = token[1], (answer.getheader("Set-Cookie") or "").partition(";")[0]

    def close(self) -> None:
        self._connection.close()

    def ask(self, name: str, address: str) -> tuple[float, tuple[int, bytes, str | None]]:
        """How long the answer took, and the answer."""
        body = urlencode({"csrf_token": self._token, "name": name})
        headers = {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
        begun = perf_counter()
        self._connection.request("POST", "/sign-in/help", body, {**headers, "X-Forwarded-For": address})
        answer = self._connection.getresponse()
        content = answer.read()
        return perf_counter() - begun, (answer.status, content, answer.getheader("Location"))


def rank_test(one: list[float], other: list[float]) -> float:
    """How often a value of the first list is the greater of two: 0.5 where nothing tells the lists apart."""
    places = sorted([(value, 1) for value in one] + [(value, 0) for value in other])
    ranks = sum(place for place, (_, is_first) in enumerate(places, 1) if is_first)
    return (ranks - len(one) * (len(one) + 1) / 2) / (len(one) * len(other))


def test_the_time_of_an_answer_tells_nothing(tmp_path: Path, record_property) -> None:
    instance = tmp_path / "instance"
    instance.mkdir()
    make_force(instance, people=NAMES)
    known = [
        number
        for (number,) in ask(instance, "SELECT staff_number FROM person_name ORDER BY 1 LIMIT ?", NAMES)
    ]
    assert len(known) == NAMES
    unknown = [f"X{number[1:]}" for number in known]
    tries = [(name, is_known) for is_known, names in ((True, known), (False, unknown)) for name in names]
    tries *= ROUNDS
    random.Random(300).shuffle(tries)
    seconds: dict[bool, list[float]] = {True: [], False: []}
    answers = set()
    with open_office() as office:
        more = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(office.port), "SMTP_TLS": "none"}
        more |= {"SMTP_FROM": "learning@westshire.example", "SMTP_PER_MINUTE": "60000"}
        server = Server(instance, more={**more, "TRUSTED_PROXIES": "127.0.0.0/8"}).start()
        try:
            with closing(Asker(server)) as asker:
                for place, (name, is_known) in enumerate(tries):
                    taken, answer = asker.ask(name, f"192.0.{place // 250}.{place % 250 + 1}")
                    seconds[is_known].append(taken)
                    answers.add(answer)
        finally:
            server.kill()
    auc = rank_test(seconds[True], seconds[False])
    medians = [1000 * median(seconds[is_known]) for is_known in (True, False)]
    record_property(
        FIGURE, f"links asked for: known {medians[0]:.2f} ms, unknown {medians[1]:.2f} ms, rank {auc:.3f}"
    )
    assert len(answers) == 1
    assert 0.45 < auc < 0.55
    assert 0.9 < medians[0] / medians[1] < 1.1
