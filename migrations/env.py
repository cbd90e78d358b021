"""Runs migrations with the application's own engine settings."""

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

database = current_app.extensions["migrate"].db

# Each database's own index of the parts of names: no model's.
SEARCHED_BY = ("person_search", "ix_person_name_parts")


def is_modelled(name: str | None, kind: str, within: object) -> bool:
    """Whether the models speak of what the database has under this name."""
    return not (name or "").startswith(SEARCHED_BY)


def _connection() -> Connection:
    engine = context.config.attributes.get("engine", database.engine)  # given: a copy that is restored
    try:
        return engine.connect()
    except DBAPIError as error:
        # Shown as a sentence by the command, without where in the code it happened.
        raise RuntimeError(f"The database cannot be reached: {' '.join(str(error.orig).split())}") from error


def run() -> None:
    """Upgrade or downgrade in one transaction, waiting only briefly for a lock held by the portal."""
    with _connection() as connection:
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            compare_type=True,
            include_name=is_modelled,
            render_as_batch=False,
        )
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            context.run_migrations()


run()
