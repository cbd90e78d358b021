"""Where jobs run and what carries them are settings, each refused with a sentence where it is wrong."""

from pathlib import Path

import pytest

from config import Config, ConfigError
from portal.app import create_app
from tests.conftest import SECRET


def settings(tmp_path: Path, **values: str) -> Config:
    return Config(mode="demo", secret_key=SECRET, instance=tmp_path, **values)


@pytest.mark.parametrize(
    ("database", "jobs", "carried"),
    [
        ("", "", "sqlite:///{}/jobs.sqlite"),
        ("sqlite:////srv/portal.sqlite", "", "sqlite:///{}/jobs.sqlite"),
        ("postgres://portal@db/portal", "", "postgresql://portal@db/portal"),
        ("postgresql://portal@db/portal", "redis://queue/3", "redis://queue/3"),
        ("postgresql://portal@db/portal", "sqlite:////srv/jobs.sqlite", "sqlite:////srv/jobs.sqlite"),
        ("", "postgresql+psycopg://portal@db/jobs", "postgresql://portal@db/jobs"),
    ],
)
def test_jobs_are_carried_where_the_database_is_unless_set(tmp_path, database, jobs, carried):
    made = settings(tmp_path, database_url=database, jobs_url=jobs)

    assert made.jobs_address == carried.format(tmp_path)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"jobs": "elsewhere"}, "JOBS is 'embedded' or 'separate'"),
        ({"jobs_url": "amqp://queue"}, "JOBS_URL begins with"),
        ({"jobs_workers": 0}, "JOBS_WORKERS is 1 or more"),
        ({"jobs_lost_seconds": 0}, "JOBS_LOST_SECONDS is 1 or more"),
        ({"jobs_kept_days": 6}, "JOBS_KEPT_DAYS is 7 or more"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_sentence(tmp_path, values, said):
    with pytest.raises(ConfigError, match=said):
        settings(tmp_path, **values)


def test_redis_without_its_client_is_refused_at_the_start(tmp_path, monkeypatch):
    monkeypatch.setattr("portal.jobs.carrier.find_spec", lambda name: None)

    with pytest.raises(ConfigError, match="install the package redis"):
        create_app(settings(tmp_path, jobs_url="redis://queue/0"))
