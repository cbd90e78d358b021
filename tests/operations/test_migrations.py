"""Migrations go up, down and up again, and leave no difference to the models."""

import pytest
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import inspect, text

from config import Config
from portal.app import create_app
from portal.db import db
from tests.conftest import SECRET
from tests.running import fresh_database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty(request, tmp_path) -> Flask:
    url = ""
    if request.param == "postgresql":
        url = fresh_database(request.getfixturevalue("postgresql"), "updown")
    return create_app(Config(mode="demo", database_url=url, secret_key=SECRET, instance=tmp_path))


def test_up_down_and_up(empty):
    with empty.app_context():
        upgrade()
        check()
        downgrade(revision="base")
        assert set(inspect(db.engine).get_table_names()) == {"alembic_version"}
        if db.engine.dialect.name == "postgresql":
            with db.engine.connect() as connection:
                assert (
                    connection.scalar(text("SELECT count(*) FROM pg_proc WHERE proname = 'refuse_change'"))
                    == 0
                )
        upgrade()
        check()
        db.engine.dispose()
