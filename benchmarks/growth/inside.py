"""The portal inside a process of its own, on a force's database, at a day that may lie in the past."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar
from unittest import mock

from flask import Flask

from config import Config
from portal.app import create_app
from portal.platform import clock
from portal.platform.db import db

P = ParamSpec("P")
R = TypeVar("R")


def in_process(function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    """The result of a function in a process of its own, which shares no cache of the portal with another."""
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        return pool.submit(function, *arguments, **named).result()


class Calendar:
    """A clock that runs as the machine's, so many days ago."""

    def __init__(self, days_ago: int) -> None:
        self.days_ago = days_ago

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Let the portal of this process ask this clock."""
        true_now = clock.now

        def now() -> datetime:
            return true_now() - timedelta(days=self.days_ago)

        with mock.patch.object(clock, "now", now):
            yield


@contextmanager
def portal(instance: Path, days_ago: int = 0) -> Iterator[tuple[Flask, Calendar]]:
    """The application with the clock that it asks."""
    calendar = Calendar(days_ago)
    with calendar.in_force():
        app = create_app(Config(mode="demo", instance=instance, database_url=""))
        try:
            yield app, calendar
        finally:
            with app.app_context():
                db.engine.dispose()


def command(app: Flask, *words: str) -> None:
    """Run a command of the portal in this process.

    Raises:
        RuntimeError: It was refused; its reasons are in the text.
    """
    done = app.test_cli_runner().invoke(args=words, catch_exceptions=False)
    if done.exit_code:
        raise RuntimeError(f"{' '.join(words)}: {done.output[-2000:]}")
