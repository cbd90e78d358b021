"""Builds what a force installs: a wheel that runs without Node, and the archive with all that goes with it.

``make wheel`` runs it from the project's root, after the assets were compiled. A wheel is a ZIP archive of a
package's files with a few that describe it (PyPA's binary distribution format); this one holds ``portal/``
with its compiled assets, ``migrations/``, ``modules/``, ``event_types/``, ``exercises/``,
``recommendations/``, ``config.py``, ``wsgi.py`` and ``serve.py``. The same sources make the same bytes.
"""

import base64
import gzip
import hashlib
import json
import os
import re
import runpy
import shutil
import subprocess
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
# What an archive holds beside the wheel and the bill of materials, as git names files: see
# docs/operating/release.md. Every document that one of them links to is among them.
BESIDE = (
    "deploy", "docs", ":(glob)*.md", "LICENSE", ":(glob)benchmarks/**/*.md", ":(glob)benchmarks/**/*.svg",
    "requirements/production.txt", "requirements/postgresql.txt", ":(exclude,glob)docs/*.py",
)  # fmt: skip
BILL = "sbom.json"
NAMESPACE = "portal-release"  # of the signature: one for another purpose is not one of a release
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
    """Write the folder that a force unpacks, its archive, and the archive's checksum; the archive's path."""
    project = read_project()
    folder = target / f"{project['name']}-{project['version']}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    build_wheel(folder)
    (folder / BILL).write_text(
        runpy.run_path(str(ROOT / "requirements/inventory.py"))["make_bill_of_materials"]()
    )
    for name in _git("ls-files", "-z", "--", *BESIDE).rstrip("\0").split("\0"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    archive = target / f"{folder.name}.tar.gz"
    with (
        archive.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as members,
    ):
        for path in sorted(folder.rglob("*")):
            members.add(path, path.relative_to(target), recursive=False, filter=_without_builder)
    checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
    target.joinpath(f"{archive.name}.sha256").write_text(f"{checksum}  {archive.name}\n")
    return archive


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603, S607


def _without_builder(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The member without what tells who built it, and when."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = "root"
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member


def sign_release(archive: Path, key: str) -> str:
    """Sign the archive with a key of SSH, if there is one; a sentence about it."""
    signature = archive.with_name(f"{archive.name}.sig")
    signature.unlink(missing_ok=True)
    if not key:
        return f"{archive.name} is unsigned: RELEASE_KEY=PATH signs it (docs/operating/release.md)."
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", NAMESPACE, archive]
    subprocess.run(sign, check=True)  # noqa: S603 - words of this file
    return f"{archive.name} is signed: {signature.name}"


if __name__ == "__main__":
    built = build_release(Path(sys.argv[1]))
    print(built)
    print(sign_release(built, os.environ.get("RELEASE_KEY", "")))
