"""A worker that is killed while it makes a file leaves no partial file, and no file without a row."""

import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.journeys.prepared import file_asked
from tests.journeys.walking import ask, change
from tests.running import ROOT, Server, copied, settings

pytestmark = [pytest.mark.slow, pytest.mark.sweep]
WORK = """
import os, signal, sys
from threading import Event
from uuid import UUID
from portal.app import create_app
from portal.commands.jobs import make_worker_setup
from portal.platform.jobs.worker import JobRunner
from portal.domain.reports import completion_files, export_files
from tests.jobs import run_job

app, write = create_app(), completion_files.write_xlsx

def killed(rows, file, *arguments, **more):
    write(rows, file, *arguments, **more)
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)

def killed_late(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[1] == "writing":
    completion_files.write_xlsx = killed
if sys.argv[1] == "keeping":
    export_files.mark_file_made = killed_late
run_job(JobRunner(make_worker_setup(app), Event()), UUID(sys.argv[2]))
"""


def work(instance: Path, how: str, job: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", WORK, how, job], cwd=ROOT, env=settings(instance, 1), capture_output=True
    )
    return done.returncode


@pytest.mark.parametrize("moment", ["writing", "keeping"])
def test_a_killed_worker_leaves_no_half_file(small_force: Path, tmp_path: Path, moment: str) -> None:
    instance = copied(small_force, tmp_path / "instance")
    file = file_asked(Server(instance), "D2001").rpartition("/")[2].replace("-", "")
    ((job,),) = ask(instance, "SELECT job_id FROM prepared_file")
    folder = instance / "files"

    assert work(instance, moment, job) == -signal.SIGKILL

    assert ask(instance, "SELECT made_at, stored, called FROM prepared_file") == [(None, None, None)]
    assert ask(instance, "SELECT action FROM audit_event WHERE action = 'completions.exported'") == []
    [left] = folder.iterdir() if moment == "writing" else (p for p in folder.iterdir() if p.is_file())
    assert left.is_dir() == (moment == "writing")

    change(instance, "UPDATE job SET state = 'waiting', claim = NULL")
    assert work(instance, "well", job) == 0

    ((stored,),) = ask(instance, "SELECT stored FROM prepared_file")
    assert zipfile.is_zipfile(folder / stored)
    assert stored.startswith(file)
    assert stored != left.name
    change(instance, "UPDATE prepared_file SET asked_at = '2020-01-01', made_at = '2020-01-01'")
    change(instance, "UPDATE job SET state = 'waiting', claim = NULL")
    assert work(instance, "well", job) == 0
    assert list(folder.iterdir()) == []
    assert ask(instance, "SELECT * FROM prepared_file") == []
    shutil.rmtree(instance)
