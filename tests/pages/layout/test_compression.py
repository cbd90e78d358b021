"""Pages are compressed for their reader, and for nobody who could read their secrets from the length."""

import gzip
import re

import pytest

from portal.pages.layout.compression import LEAST_BYTES, MOST_PADDING
from portal.pages.layout.sessions import cookies
from tests.pages.account.browsing import let_in, make_account

GZIP = {"Accept-Encoding": "gzip, deflate, br"}
LONG_PAGE = "/privacy"


def test_a_page_is_compressed_for_who_accepts_it(client):
    plain = client.get(LONG_PAGE)
    packed = client.get(LONG_PAGE, headers=GZIP)

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    assert {"Accept-Encoding", "Sec-Fetch-Site"} <= set(packed.vary)
    assert without_token(gzip.decompress(packed.data)) == without_token(plain.data)


def without_token(html: bytes) -> bytes:
    return re.sub(rb'name="csrf_token" value="[^"]+"', b"", html)


@pytest.mark.parametrize(
    "headers",
    [
        {**GZIP, "Sec-Fetch-Site": "cross-site"},
        {**GZIP, "Sec-Fetch-Site": "same-site"},
        {"Accept-Encoding": "br"},
        {"Accept-Encoding": "gzip;q=0"},
    ],
    ids=["led here by another site", "by a neighbour", "another method", "refused"],
)
def test_it_is_not_compressed_otherwise(client, headers):
    assert "Content-Encoding" not in client.get(LONG_PAGE, headers=headers).headers


def test_the_length_of_the_same_page_varies(client):
    lengths = {len(client.get(LONG_PAGE, headers=GZIP).data) for _ in range(20)}

    assert 5 < len(lengths) <= MOST_PADDING + 20


def test_what_is_short_or_asked_for_without_its_body_stays_as_it_is(client):
    health = client.get("/healthz", headers=GZIP)
    head = client.head(LONG_PAGE, headers=GZIP)

    assert len(health.data) < LEAST_BYTES
    assert "Content-Encoding" not in health.headers
    assert "Content-Encoding" not in head.headers
    assert int(head.headers["Content-Length"]) == len(client.get(LONG_PAGE).data)


def test_no_two_pages_have_the_token_of_their_forms_in_common_and_each_counts(client):
    make_account()
    let_in(client)
    tokens = [client.page("/account").form_with("Sign out").fields["csrf_token"][0] for _ in range(2)]

    first, second = (cookies.unmask_form_token(token) for token in tokens)

    assert first == second
    assert tokens[0] != tokens[1]
    assert client.post("/sign-out", data={"csrf_token": tokens[0]}).status_code == 303


@pytest.mark.parametrize("text", ["", "~", "~x", "~!!!!", "~AAAA", "~" + "A" * 99, "plain"])
def test_a_token_that_is_none_is_refused_in_words(client, text):
    make_account()
    let_in(client)

    assert client.post("/sign-out", data={"csrf_token": text}).status_code == 400
