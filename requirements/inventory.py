"""Lists what is shipped, from the lock files: a bill of materials in CycloneDX, and everybody's licence.

``make sbom`` and ``make licences`` run it from the project's root. The bill needs nothing but Python:
licences are read from the installed packages into ``requirements/licences.csv`` before.
"""

import base64
import csv
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
LOCKED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)
LICENCES = ROOT / "requirements/licences.csv"
MIT = "License :: OSI Approved :: MIT License"  # the one classifier that names exactly one licence
PLACES = {"pypi": "pkg:pypi/", "npm": "pkg:npm/", "deb": "pkg:deb/debian/"}


class LicenceError(Exception):
    """Components whose licence is unknown or not one of those that are allowed, one sentence each."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package of a lock file, or one that the fonts were made from."""

    registry: str  # pypi, npm or deb
    name: str
    version: str
    sha: tuple[str, str] = (
        "",
        "",
    )  # algorithm and checksum in hexadecimal; Python's have one a platform instead

    @property
    def address(self) -> str:
        """Its package URL."""
        return f"{PLACES[self.registry]}{quote(self.name)}@{quote(self.version)}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``pyproject.toml`` says of the portal, of licences and of fonts."""

    version: str
    allowed: list[str]  # SPDX identifiers
    stated: dict[str, str]  # by the name of a package whose own metadata does not say its licence in SPDX
    fonts: list[dict[str, str]]


def read_settings() -> Settings:
    """The settings of this project."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    tool = project["tool"]
    return Settings(version=project["project"]["version"], fonts=tool["fonts"], **tool["licences"])


def list_packages(settings: Settings) -> list[Package]:
    """Packages that are shipped or installed with it, by registry and name."""
    locks = ((ROOT / f"requirements/{name}.txt").read_text() for name in ("production", "postgresql"))
    python = [
        Package("pypi", found["name"], found["version"]) for lock in locks for found in LOCKED.finditer(lock)
    ]
    node = [
        Package("npm", name, entry["version"], ("SHA-512", read_sha512(entry["integrity"])))
        for name, entry in _list_shipped_of_node()
    ]
    fonts = [
        Package(font["registry"], font["name"], font["version"], ("SHA-256", font["sha256"]))
        for font in settings.fonts
    ]
    return sorted([*python, *node, *fonts], key=lambda package: (package.registry, package.name))


def _list_shipped_of_node() -> Iterator[tuple[str, dict[str, str]]]:
    for path, entry in json.loads((ROOT / "package-lock.json").read_text())["packages"].items():
        if path and not entry.get("dev"):
            yield path.removeprefix("node_modules/"), entry


def read_sha512(integrity: str) -> str:
    """A checksum as npm's lock file writes it, in hexadecimal.

    >>> read_sha512("sha512-3q2+7w==")
    'deadbeef'
    """
    return base64.b64decode(integrity.removeprefix("sha512-")).hex()


def find_licences(packages: Iterable[Package], settings: Settings) -> dict[Package, str]:
    """The licence of each, as is stated, or as the lock file or the installed package says; else ""."""
    stated = {font["name"]: font["licence"] for font in settings.fonts} | settings.stated
    stated |= {name: entry.get("license", "") for name, entry in _list_shipped_of_node()}
    return {one: stated.get(one.name) or read_licence(one.name, settings.allowed) for one in packages}


def read_licence(name: str, allowed: Iterable[str]) -> str:
    """The licence of an installed Python package in SPDX, or "" if its metadata does not say it exactly."""
    try:
        says = metadata.metadata(
            name
        ).json  # fields in small letters; a list where one may occur several times
    except metadata.PackageNotFoundError:
        return ""
    if expression := says.get("license_expression"):
        return str(expression)
    if (text := str(says.get("license", ""))) in allowed:
        return text
    return "MIT" if MIT in says.get("classifier", ()) else ""


def check_licences(licences: dict[Package, str], allowed: Iterable[str]) -> None:
    """Refuse packages of which no licence is allowed; of several joined by AND, each must be.

    Raises:
        LicenceError: Names them.
    """
    ids = set(allowed)
    refused = [
        f"{package.name} {package.version}: {licence or 'unknown licence'}"
        for package, licence in licences.items()
        if not all(ids & set(part.split(" OR ")) for part in licence.split(" AND "))
    ]
    if refused:
        raise LicenceError("\n".join(refused))


def write_licences(licences: dict[Package, str], file: Path) -> None:
    """Write a row a package: name, version, licence and registry (CSV)."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(["name", "version", "licence", "registry"])
        writer.writerows([one.name, one.version, licence, one.registry] for one, licence in licences.items())


def make_bill_of_materials() -> str:
    """A bill of materials of the portal in CycloneDX 1.6 (JSON).

    Raises:
        SystemExit: ``requirements/licences.csv`` is of other lock files.
    """
    settings = read_settings()
    with LICENCES.open(newline="") as opened:
        known = {
            (row["registry"], row["name"], row["version"]): row["licence"] for row in csv.DictReader(opened)
        }
    packages = list_packages(settings)
    if known.keys() != {(one.registry, one.name, one.version) for one in packages}:
        raise SystemExit("requirements/licences.csv is of other lock files: run make licences.")
    components = [_describe(one, known[one.registry, one.name, one.version]) for one in packages]
    portal = {"type": "application", "bom-ref": "portal", "name": "portal", "version": settings.version}
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": portal},
        "components": components,
        "dependencies": [{"ref": "portal", "dependsOn": [one["bom-ref"] for one in components]}],
    }
    return json.dumps(bill, indent=2) + "\n"


def _describe(package: Package, licence: str) -> dict[str, Any]:
    exact = {"license": {"id": licence}} if " " not in licence else {"expression": licence}
    component = {
        "type": "library",
        "bom-ref": package.address,
        "name": package.name,
        "version": package.version,
        "purl": package.address,
        "licenses": [exact],
    }
    algorithm, checksum = package.sha
    return component | ({"hashes": [{"alg": algorithm, "content": checksum}]} if checksum else {})


def main(what: str, file: str) -> None:
    """Write the file that the Makefile names; exits with 1 if a licence is not allowed."""
    if what == "sbom":
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(make_bill_of_materials())
        return
    settings = read_settings()
    licences = find_licences(list_packages(settings), settings)
    write_licences(licences, Path(file))
    try:
        check_licences(licences, settings.allowed)
    except LicenceError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
