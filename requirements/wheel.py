"""Builds what a force installs: a wheel that runs without Node, and beside it the lock file and ``deploy/``.

``make wheel`` runs it from the project's root, after the assets were compiled. A wheel is a ZIP archive of a
package's files with a few that describe it (PyPA's binary distribution format); this one holds ``portal/``
with its compiled assets, ``migrations/``, ``modules/``, ``event_types/``, ``exercises/``,
``recommendations/``, ``config.py``, ``wsgi.py`` and ``serve.py``. The same sources make the same wheel, byte
for byte.
"""

import base64
import hashlib
import json
import re
import shutil
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

ROOT = Path(__file__).resolve().parents[1]
FILES = ("config.py", "wsgi.py", "serve.py")
FOLDERS = ("portal", "migrations", "modules", "event_types", "exercises", "recommendations")
LAYOUT = "portal/pages/layout"
STATIC = f"{LAYOUT}/static"
# Compiled files, as the manifest names them; what they are made of; the demo's provider, which needs Node.
LEFT_OUT = (
    f"{STATIC}/", f"{LAYOUT}/sass/", f"{LAYOUT}/js/", f"{LAYOUT}/assets/", f"{LAYOUT}/build.mjs",
    "portal/demo/sign_in_provider.mjs",
)  # fmt: skip
BESIDE = ("deploy", "docs/operating", "docs/runbook", "CHANGELOG.md", "LICENSE")
PINNED = re.compile(r"^(?!-)[A-Za-z0-9._-]+(\[[a-z,]+\])?(==\S+)?$", re.MULTILINE)
EPOCH = (2020, 1, 1, 0, 0, 0)
WHEEL = "Wheel-Version: 1.0\nGenerator: portal\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def read_project() -> dict[str, str]:
    """Name, version and the needed Python, which ``pyproject.toml`` alone says."""
    project: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project


def list_sources() -> Iterator[str]:
    """Paths of the files that run, below the project's root.

    Raises:
        SystemExit: The assets are not compiled.
    """
    manifest = ROOT / STATIC / "manifest.json"
    if not manifest.is_file():
        raise SystemExit("The assets are not compiled: run make setup.")
    yield from FILES
    yield f"{STATIC}/manifest.json"
    for name in sorted(json.loads(manifest.read_text()).values()):  # those of the build before stay here
        yield from (f"{STATIC}/{name}{end}" for end in ("", ".br", ".gz"))
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and "__pycache__" not in path.parts and not name.startswith(LEFT_OUT):
                yield name


def write_metadata(project: dict[str, str]) -> str:
    """What installers read of the package: it needs the libraries that ``requirements/*.in`` name."""
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {project['version']}",
        "Summary: A learning portal for police forces",
        "License-Expression: MIT",
        "License-File: LICENSE",
        f"Requires-Python: {project['requires-python']}",
    ]
    needed = (ROOT / "requirements/base.in").read_text()
    lines += [f"Requires-Dist: {match[0]}" for match in PINNED.finditer(needed)]
    return "\n".join(lines) + "\n"


def build_wheel(target: Path) -> Path:
    """Write the wheel into a folder; its path."""
    project = read_project()
    stem = f"{project['name']}-{project['version']}"
    about = f"{stem}.dist-info"
    contents = {name: (ROOT / name).read_bytes() for name in list_sources()}
    contents[f"{about}/licenses/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    contents[f"{about}/METADATA"] = write_metadata(project).encode()
    contents[f"{about}/WHEEL"] = WHEEL.encode()
    record = "".join(f"{name},{_digest(content)},{len(content)}\n" for name, content in contents.items())
    contents[f"{about}/RECORD"] = f"{record}{about}/RECORD,,\n".encode()
    wheel = target / f"{stem}-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        for name, content in contents.items():
            info = ZipInfo(name, EPOCH)
            info.external_attr = 0o100644 << 16
            info.compress_type = ZIP_DEFLATED
            archive.writestr(info, content)
    return wheel


def _digest(content: bytes) -> str:
    return f"sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()}"


def build_release(target: Path) -> Path:
    """Write the folder that a force unpacks, and its archive; the archive's path."""
    project = read_project()
    folder = target / f"{project['name']}-{project['version']}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    build_wheel(folder)
    shutil.copy(ROOT / "requirements/base.txt", folder / "requirements.txt")
    for name in BESIDE:
        source = ROOT / name
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    archive = target / f"{folder.name}.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(folder, folder.name)
    return archive


if __name__ == "__main__":
    print(build_release(Path(sys.argv[1])))
