"""A real provider by SAML 2.0: samlify, run by Node, which shares no code with the portal's side."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import requests

from tests.features.saml.keys import make_pair
from tests.running import ROOT


@contextmanager
def run_idp(folder: Path, **more: str) -> Iterator[str]:
    """Run a provider, which reads the portal's metadata from ``service.xml``; yields its address."""
    key, certificate = make_pair("real").write(folder, "real")
    environment = {
        "PATH": os.environ["PATH"],
        "KEY_FILE": str(key),
        "CERTIFICATE_FILE": str(certificate),
        "SERVICE_FILE": str(folder / "service.xml"),
        **more,
    }
    command = [shutil.which("node") or "node", ROOT / "tests/features/saml/provider.mjs"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
    ) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.kill()


def metadata_of(idp: str) -> str:
    """What the provider says of itself."""
    return requests.get(f"{idp}/metadata", timeout=10).text


def sign_in_there(address: str, name: str) -> dict[str, str]:
    """What the provider's page has the browser send to the portal."""
    answer = requests.get(f"{address}&name={name}", timeout=10)
    assert answer.status_code == 200, answer.text
    found = re.findall(r'name="(\w+)" value="([^"]*)"', answer.text)
    return {name: unescape(value) for name, value in found}
