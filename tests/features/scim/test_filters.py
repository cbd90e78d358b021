"""Filters find whom they name, alike on both databases, and none is too much."""

from urllib.parse import quote

import pytest
from flask import Flask

from tests.features.scim.provider import ENTERPRISE, Provider


@pytest.fixture
def provider(app: Flask, database: None) -> Provider:
    return Provider(app)


@pytest.fixture
def three(provider: Provider) -> Provider:
    provider.add("100", title="Sergeant", externalId="A", name={"familyName": "Ash", "givenName": "Al_x"})
    provider.add("200", department="Westshire Police/Crime", manager="100", emails=[])
    provider.add("300", active=False, userType="custody", department="Westshire Police/Crime/Team A")
    return provider


FILTERS = {
    'userName eq "U100@WESTSHIRE.example"': [100],
    'userName ne "u100@westshire.example"': [200, 300],
    'userName sw "u2"': [200],
    'userName ew ".EXAMPLE"': [100, 200, 300],
    'userName co "0@west"': [100, 200, 300],
    'userName co "%"': [],
    'name.givenName co "_"': [100],
    'userName gt "u100@westshire.example"': [200, 300],
    'userName le "u200@westshire.example"': [100, 200],
    'externalId eq "A"': [100],
    'externalId eq "a"': [],
    "externalId pr": [100],
    "not (externalId pr)": [200, 300],
    "externalId eq null": [200, 300],
    'externalId ne "A"': [200, 300],
    'title eq "sergeant" or title eq "x"': [100],
    'title eq "Constable" and not (userType eq "custody")': [200],
    "active eq true": [100, 200],
    'active eq "False"': [300],
    "active ne true": [300],
    "emails pr": [100, 300],
    'emails eq "u100@westshire.example"': [100],
    'emails[type eq "work" and value sw "u3"]': [300],
    'emails[type eq "home"]': [],
    'emails.type eq "work"': [100, 300],
    f'{ENTERPRISE}:employeeNumber eq "200"': [200],
    f'{ENTERPRISE}:department eq "westshire police/crime"': [200],
    f'{ENTERPRISE}:department sw "Westshire Police/Crime"': [200, 300],
    f'{ENTERPRISE}:department ne "Westshire Police/Crime"': [100, 300],
    f"{ENTERPRISE}:department eq null": [],
    f"{ENTERPRISE}:manager pr": [200],
    f"not ({ENTERPRISE}:manager.value pr)": [100, 300],
    'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "u1"': [100],
    'meta.created gt "2020-01-01T00:00:00Z"': [100, 200, 300],
    'meta.created lt "2020-01-01T00:00:00+01:00"': [],
    'id eq "person-0"': [],
}


REFUSED = (
    "userName",
    'userName eq "a',
    'userName is "a"',
    'displayName eq "x"',
    'password sw "a"',
    "userName gt 7",
    "active gt true",
    'active eq "perhaps"',
    'meta.lastModified gt "2020-01-01T00:00:00Z"',
    'meta.created gt "yesterday"',
    'meta.created gt "2020-01-01T00:00:00"',
    'title[value eq "x"]',
    'title eq "a\\u0000b"',
    'title eq "\\ud800"',
    "not (" * 40 + "title pr" + ")" * 40,
    " or ".join(['title eq "x"'] * 200),
    'id eq "\'; DROP TABLE person --" x',
)


def test_a_filter_finds_whom_it_names(three: Provider) -> None:
    numbers = {filter_: [int(name[1:4]) for name in three.find(filter_)] for filter_ in FILTERS}
    assert numbers == FILTERS


def test_a_filter_that_is_wrong_unknown_too_long_or_too_deep_is_refused(three: Provider) -> None:
    keywords = {filter_: three.refused("GET", f"/Users?filter={quote(filter_)}")[0] for filter_ in REFUSED}
    assert keywords == dict.fromkeys(REFUSED, "invalidFilter")
