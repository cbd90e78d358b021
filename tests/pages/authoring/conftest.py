"""A published module, and two people who write."""

from pathlib import Path

import pytest

from tests.domain.catalogue.folders import write
from tests.factories.people import make_person
from tests.page_reading import PortalClient
from tests.pages.authoring.authors import open_draft, publish_sample_module, sign_in_author
from tests.pages.authoring.drafting import publish_sample_folder


@pytest.fixture
def carys(database) -> int:
    """The person who opens drafts."""
    return make_person(forenames="Carys", surname="Rees")


@pytest.fixture
def hugh(database) -> int:
    """Another person."""
    return make_person(forenames="Hugh", surname="Mercer")


@pytest.fixture
def folder(database, tmp_path) -> Path:
    """The folder of all modules as it was published."""
    publish_sample_folder(write(tmp_path))
    return tmp_path


@pytest.fixture
def desk(client: PortalClient, tmp_path: Path) -> PortalClient:
    """A draft of the sample module, and its author signed in."""
    publish_sample_module(tmp_path)
    client.person = sign_in_author(client)
    client.draft = open_draft(client.person)
    return client
