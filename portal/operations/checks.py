"""What must hold before the portal can serve."""

from pathlib import Path
from typing import Protocol

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from portal import clock
from portal.db import db
from portal.jobs.queries import not_taken_up

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


class Check(Protocol):
    """A named question with a yes or a no."""

    __name__: str

    def __call__(self) -> bool:
        """Whether it holds."""
        ...


def database() -> bool:
    """Whether the database answers."""
    return bool(db.session.scalar(text("SELECT 1")) == 1)


def migrations() -> bool:
    """Whether the database stands at the newest migration."""
    held = MigrationContext.configure(db.session.connection()).get_current_heads()
    return set(held) == set(_scripts().get_heads())


def jobs() -> bool:
    """Whether workers take up the jobs that wait."""
    return not not_taken_up(clock.now())


def head() -> str:
    """The newest migration's revision."""
    newest = _scripts().get_current_head()
    assert newest is not None
    return newest


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)
