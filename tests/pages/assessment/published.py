"""A published module whose two items are of one kind, and its assessment begun."""

from pathlib import Path

from portal.domain.catalogue import services
from portal.platform.db import stamp, transaction
from tests.domain.catalogue.folders import write
from tests.domain.catalogue.kinds_written import item
from tests.page_reading import Page, PortalClient
from tests.pages.learning.working import read_lessons


def publish(folder: Path, kind: str) -> None:
    """Publish the module ``sample`` with two items of a kind."""
    bank = item(kind, "one", "see") + "\n" + item(kind, "two", "say")
    write(folder, {"sample/items/bank.toml": bank})
    with transaction():
        services.publish_folder(folder, at=stamp())


def first_question(client: PortalClient) -> Page:
    """Read the lessons of ``sample`` and begin; returns the first question."""
    return client.press(read_lessons(client, "sample", "first"), "Start assessment")
