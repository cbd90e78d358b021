"""Servers whose state a module's tests may share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Server, copied


def running(template: Path, instance: Path) -> Iterator[Server]:
    """A server on a copy of the force, ended however the tests end."""
    started = Server(copied(template, instance))
    try:
        yield started.start()
    finally:
        started.kill()


@pytest.fixture
def server(small_force: Path, tmp_path: Path) -> Iterator[Server]:
    """A running server of a test's own."""
    yield from running(small_force, tmp_path / "instance")


@pytest.fixture(scope="module")
def shared_server(small_force: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server that the tests of a module share."""
    yield from running(small_force, tmp_path_factory.mktemp("shared") / "instance")
