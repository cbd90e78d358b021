"""The documented recipe of a nightly file, run as it is written: with a real shell and curl."""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.pages.api.calling import system
from tests.pages.monitoring.world import REPORT, TODAY, enter, make_world
from tests.waiting import until

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "operating" / "api.md"
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")


@pytest.fixture
def world(database):
    with time_machine.travel(TODAY, tick=False):
        yield make_world()


class Quiet(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        pass


def run_script(app: Flask, monkeypatch: pytest.MonkeyPatch, folder: Path, token: str) -> tuple[bool, Path]:
    """Whether the document's script succeeds, and what it leaves of an old file."""
    (script,) = re.findall(r"```sh\n(#!/bin/sh\n.+?)```", DOCUMENT.read_text(), re.DOTALL)
    header, file = folder / "header", folder / "completions.csv"
    header.write_text(f"Authorization: Bearer {token}\n")
    file.write_text("old")
    path = folder / "completions"
    path.write_text(script.replace("/etc/portal-api.header", str(header)))
    with make_server("127.0.0.1", 0, app, request_handler=Quiet) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], public_url=address))
        server.timeout = 0.1
        command, direct = ["sh", path, address, "OIC-2026", file], {**os.environ, "NO_PROXY": "*"}
        with subprocess.Popen(command, env=direct, stderr=subprocess.PIPE) as run:
            try:
                until(lambda: (server.handle_request(), run.poll())[1] is not None)
            finally:
                run.kill()
    assert not file.with_suffix(".csv.part").exists()
    return run.returncode == 0, file


@needs_curl
def test_a_nightly_file_is_the_portals_own(app, client, world, monkeypatch, tmp_path):
    own = enter(client, world, "D6001").get(f"{REPORT}/completions.csv").data

    succeeded, file = run_script(app, monkeypatch, tmp_path, system(app).plain)

    assert (succeeded, file.read_bytes()) == (True, own)


@needs_curl
def test_a_night_that_fails_leaves_the_old_file(app, world, monkeypatch, tmp_path):
    succeeded, file = run_script(app, monkeypatch, tmp_path, "oicp_wrong")

    assert (succeeded, file.read_text()) == (False, "old")
