"""What a force installs: files in a throw-away root, units as systemd reads them, the site as nginx does."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.deploy.machine import HOST, NOBODY, install, make_machine
from tests.running import ROOT, copied, free_port, settings
from tests.waiting import until

UNITS = ("portal.service", "portal.socket", "portal-worker.service")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A machine's files after the script."""
    folder = tmp_path_factory.mktemp("root")
    done = install(folder, HOST)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_script_puts_a_release_and_its_settings_below_a_root(root):
    assert (root / "opt/portal/wsgi.py").read_text() == (ROOT / "wsgi.py").read_text()
    assert f"PUBLIC_URL=https://{HOST}\n" in (root / "etc/portal/portal.conf").read_text()
    assert f"server_name {HOST};" in (root / "etc/nginx/sites-available/portal").read_text()
    secret = root / "etc/portal/secret-key"
    assert len(secret.read_text().strip()) == 64
    assert secret.stat().st_mode & 0o077 == 0


def test_the_watched_folder_is_laid_out_so_that_sshd_can_shut_other_systems_in(root):
    drop = root / "srv/portal-imports"
    for place in (drop, drop / "incoming", drop / "incoming/roster", drop / "incoming/completions"):
        assert place.stat().st_mode & 0o777 == 0o755
    for place in ("waiting", "quarantine", "done"):
        assert (drop / place).stat().st_mode & 0o777 == 0o700
    assert (
        "ReadWritePaths=-/srv/portal-imports"
        in (root / "etc/systemd/system/portal-worker.service").read_text()
    )


def test_the_script_run_again_keeps_what_a_force_has_set(root):
    conf, secret = root / "etc/portal/portal.conf", (root / "etc/portal/secret-key").read_text()
    conf.write_text("PORTAL_MODE=production\n")

    assert install(root, HOST).returncode == 0

    assert conf.read_text() == "PORTAL_MODE=production\nBACKUP_DIR=/var/backups/portal\n"
    assert (root / "etc/portal/secret-key").read_text() == secret


def test_the_script_refuses_an_address_for_a_name(tmp_path):
    refused = install(tmp_path, "https://learning.west.police.uk/")

    assert refused.returncode == 2
    assert "is no host name" in refused.stderr
    assert list(tmp_path.iterdir()) == []


ROSTER = """staff_number,surname,forenames,email,rank_or_grade,designated_role,unit_path,\
line_manager_staff_number,valid_from,valid_to
W1,Hale,Ann,ann@west.example,Constable,response,West/Response,,2026-01-01,
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
@pytest.mark.slow
def test_portalctl_reads_and_writes_the_files_of_whoever_types_it(tmp_path):
    """As a user of the system that cannot open the folder of the one who types."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        root = make_machine(Path(folder))
        tmp_path.chmod(0o700)
        (tmp_path / "roster.csv").write_text(ROSTER)

        def portalctl(*words):
            return subprocess.run(
                [root / "opt/portal/deploy/portalctl", *words],
                cwd=tmp_path, capture_output=True, text=True, timeout=300,
            )  # fmt: skip

        imported = portalctl("people", "import", "roster.csv", "--dry-run")
        missing = portalctl("people", "import", "none.csv")
        made = portalctl("backups", "new-key", "identity.txt")

        assert imported.returncode == 0, imported.stderr
        assert "New people: 1" in imported.stdout
        assert missing.returncode == 2
        assert "File 'none.csv' does not exist" in missing.stderr
        assert "Move identity.txt off this machine" in made.stdout
        assert "AGE-SECRET-KEY" in (tmp_path / "identity.txt").read_text()
        owned = (tmp_path / "identity.txt").stat()
        assert (owned.st_uid, owned.st_mode & 0o777) == (0, 0o600)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["identity.txt", "roster.csv"]
        assert (root / "var/lib/portal/portal.sqlite").stat().st_uid == NOBODY


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not on this machine")
def test_systemd_reads_the_units_and_finds_them_closed(root, tmp_path):
    venv = Path(sys.executable).parent
    for unit in UNITS:
        text = (root / "etc/systemd/system" / unit).read_text()
        here = text.replace("/opt/portal/.venv/bin", str(venv)).replace("/opt/portal", str(ROOT))
        (tmp_path / unit).write_text(here)

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / unit) for unit in UNITS)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    exposure = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", tmp_path / "portal.service"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert (verified.returncode, verified.stderr) == (0, "")
    assert exposure.returncode == 0, exposure.stdout  # at most 2.0 of 10


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not on this machine")
def test_nginx_reads_the_site(root, tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-subj", f"/CN={HOST}", "-keyout", tmp_path / "portal.key", "-out", tmp_path / "portal.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    site = (root / "etc/nginx/sites-available/portal").read_text().replace("/etc/ssl", str(tmp_path))
    site = site.replace("80;", f"{free_port()};").replace("443 ssl;", f"{free_port()} ssl;")
    (tmp_path / "site.conf").write_text(site)
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ include {tmp_path}/site.conf; }}\n"
    )

    read = subprocess.run(
        ["nginx", "-t", "-q", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True, timeout=30
    )

    assert (read.returncode, read.stderr) == (0, "")


def spawn_with_socket(listening, environment, *words):
    """Begin a program as systemd does: the socket is descriptor 3, and the program is told of it."""
    return os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', "sh", sys.executable, *words],
        environment,
        file_actions=[(os.POSIX_SPAWN_DUP2, listening.fileno(), 3)],
    )


def test_a_socket_that_is_handed_over_is_taken_once():
    take = (
        "from portal.platform.processes import take_handed_over_socket as take\n"
        "taken = take()\n"
        "assert take() is None and not taken.get_inheritable()\n"
        "taken.accept()[0].sendall(b'served')\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname(), timeout=120)  # before anybody accepts
        child = spawn_with_socket(listening, {"PYTHONPATH": str(ROOT)}, "-c", take)

    assert client.recv(100) == b"served"
    assert os.waitpid(child, 0)[1] == 0
    client.close()


@pytest.mark.sweep
@pytest.mark.slow
def test_the_server_takes_the_socket_that_systemd_hands_over(small_force, tmp_path):
    """Requests sent before the server has begun wait in the socket, and are answered."""
    here = copied(small_force, tmp_path / "here")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port), timeout=120)
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        started = spawn_with_socket(listening, settings(here, port), "serve.py")
    try:
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
    finally:
        client.close()
        os.kill(started, signal.SIGTERM)
        until(lambda: os.waitpid(started, os.WNOHANG)[0] == started)
