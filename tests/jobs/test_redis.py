"""Jobs carried by a real Redis, by the setting alone."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from flask_migrate import upgrade
from sqlalchemy import select

from config import Config
from portal import clock
from portal.app import create_app
from portal.db import db, transaction
from portal.jobs import services
from portal.jobs.models import Job
from tests.conftest import SECRET
from tests.databases import close_database
from tests.jobs.counting import KIND
from tests.running import ROOT, settings

pytestmark = pytest.mark.slow


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[str]:
    """The address of a Redis of the test's own, on loopback, that keeps nothing."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.fail("Redis's server is missing: apt-get install redis-server")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    address = f"redis://127.0.0.1:{port}/0"
    try:
        with redis.Redis.from_url(address) as asked:
            _until(lambda: _answers(asked))
        yield address
    finally:
        server.terminate()
        server.wait()


def _answers(asked: "redis.Redis") -> bool:
    try:
        return bool(asked.ping())
    except redis.ConnectionError:
        return False


def _until(holds: object, seconds: float = 40) -> None:
    last = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < last, "it did not come to pass"
        time.sleep(0.05)


def test_a_job_is_carried_by_redis_where_the_setting_says_so(queue: str, tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    app = create_app(Config(mode="demo", secret_key=SECRET, instance=instance, jobs_url=queue))
    with app.app_context():
        upgrade()
        with transaction():
            asked = {"to": 2, "file": str(tmp_path / "steps")}
            reference = services.start(KIND, asked, by=None, at=clock.now())
        with redis.Redis.from_url(queue) as seen:
            assert seen.dbsize() == 1  # the message waits there, and nowhere else
        assert not (instance / "jobs.sqlite").exists()
        environment = settings(instance) | {"JOBS_URL": queue, "SECRET_KEY": SECRET}
        worker = subprocess.Popen([sys.executable, "-m", "tests.jobs.counting"], cwd=ROOT, env=environment)
        try:
            state = select(Job.state).where(Job.reference == reference)

            def done() -> bool:
                db.session.rollback()
                return db.session.scalar(state) == "done"

            _until(done)
            with redis.Redis.from_url(queue) as seen:
                assert seen.dbsize() == 0
        finally:
            worker.terminate()
            worker.wait()
            close_database()
