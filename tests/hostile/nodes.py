"""Several nodes behind nginx, on one database with a replica; a node is killed, or the database restarted."""

import random
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.forked import Forked
from tests.hostile.portals import KilledServer
from tests.postgres import Postgres, Replica
from tests.running import ROOT, Server, free_port, settings
from tests.waiting import until

SITE = ROOT / "deploy" / "nodes" / "portal.conf"
NODES = 2


def site(port: int, nodes: list[int]) -> str:
    """The site of ``deploy/``, with the addresses of this machine and without TLS."""
    servers = "".join(f"    server 127.0.0.1:{node} max_fails=2 fail_timeout=5s;\n" for node in nodes)
    text = re.sub(r"(?m)(^    server \S+ max_fails.*\n)+", servers, SITE.read_text())
    text = re.sub(r"(?m)^    ssl_certificate.*\n", "", text)
    text = text.replace("Host $host;", f"Host 127.0.0.1:{port};")  # its port is no usual one
    return text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")


class Nodes(Server):
    """Nodes, a worker and nginx, all on one database; it is spoken to through nginx."""

    def __init__(self, instance: Path, primary: Postgres, replica: Replica, database_url: str) -> None:
        super().__init__(instance, database_url=database_url, port=free_port())
        self.primary = primary
        further = {
            "JOBS": "separate",
            "TRUSTED_PROXIES": "127.0.0.1/32",
            "REPLICA_URL": replica.address.replace("/postgres", f"/{database_url.rpartition('/')[2]}"),
        }
        self.nodes = [KilledServer(instance, database_url, free_port(), further) for _ in range(NODES)]
        self._worker: Forked | None = None
        self._nginx: subprocess.Popen[bytes] | None = None

    def start(self) -> "Nodes":
        """Start all of them, and wait until they answer through nginx."""
        try:
            self._start_all()
            until(self._ready)
        except BaseException:
            self.kill()
            raise
        return self

    def _start_all(self) -> None:
        for node in self.nodes:
            node.start()
        environment = settings(self.instance, database_url=self.database_url) | self.nodes[0].more
        log = self.instance / "worker.log"
        self._worker = Forked("flask", ["--app", "wsgi", "jobs", "work"], environment, log)
        folder = self.instance / "nginx"
        folder.mkdir()
        paths = "".join(
            f"    {kind}_temp_path {folder};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        served = site(self.port, [node.port for node in self.nodes])
        (folder / "nginx.conf").write_text(
            f"pid {folder}/pid;\nevents {{}}\nhttp {{\n    access_log off;\n{paths}{served}}}\n"
        )
        words = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "log")]
        self._nginx = subprocess.Popen([*words, "-g", "daemon off; user root;"])

    def kill_node(self, chance: random.Random) -> None:
        """Kill one node with all its processes; the other goes on; start it again after a moment."""
        node = chance.choice(self.nodes)
        node.kill()
        until(self._ready)  # through nginx, by the other
        time.sleep(chance.uniform(0, 1))
        node.start()

    def restart_database(self) -> None:
        """Kill the primary with all its processes, and start it again."""
        self.primary.kill()
        self.primary.start()
        until(self._ready)

    def kill(self) -> None:
        """End all of them."""
        if self._nginx:
            self._nginx.terminate()
            self._nginx.wait()
        if self._worker:
            self._worker.kill()
        for node in self.nodes:
            node.kill()


def is_nginx_there() -> bool:
    """Whether the machine has nginx."""
    return shutil.which("nginx") is not None


@contextmanager
def database_with_replica() -> Iterator[tuple[Postgres, Replica]]:
    """A database of its own, and a replica that follows it."""
    primary = Postgres()
    try:
        replica = Replica(primary)
        try:
            yield primary, replica
        finally:
            replica.end()
    finally:
        primary.end()
