"""A published module whose two items are of one kind, and its assessment begun."""

from pathlib import Path

from portal.catalogue import services
from portal.db import stamp, transaction
from tests.catalogue.folders import write
from tests.catalogue.kinds_written import item
from tests.learning.working import read_lessons
from tests.pages import Page, PortalClient


def publish(folder: Path, kind: str) -> None:
    """Publish the module ``sample`` with two items of a kind."""
    bank = item(kind, "one", "see") + "\n" + item(kind, "two", "say")
    write(folder, {"sample/items/bank.toml": bank})
    with transaction():
        services.publish(folder, at=stamp())


def first_question(client: PortalClient) -> Page:
    """Read the lessons of ``sample`` and begin; returns the first question."""
    return client.press(read_lessons(client, "sample", "first"), "Start assessment")
