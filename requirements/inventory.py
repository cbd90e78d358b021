"""Lists what is shipped, from the lock files: a bill of materials in CycloneDX, and everybody's licence.

``make sbom`` and ``make licences`` run it from the project's root.
"""

import base64
import csv
import json
import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.spdx import is_supported_id
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[1]
LOCKED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)
MIT = "License :: OSI Approved :: MIT License"  # the one classifier that names exactly one licence


class LicenceError(Exception):
    """Components whose licence is unknown or not one of those that are allowed, one sentence each."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package of a lock file. ``licence`` is an SPDX expression, empty if none is known."""

    registry: str  # pypi or npm
    name: str
    version: str
    licence: str
    sha512: str = ""  # of npm's file, in hexadecimal; Python's lock file has one for each platform instead


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``pyproject.toml`` says of the portal and, under ``[tool.licences]``, of licences."""

    version: str
    allowed: list[str]  # SPDX identifiers
    stated: dict[str, str]  # by the name of a package whose own metadata does not say its licence in SPDX


def read_settings() -> Settings:
    """The settings of this project."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return Settings(version=project["project"]["version"], **project["tool"]["licences"])


def read_packages(stated: dict[str, str]) -> list[Package]:
    """Packages that are shipped, from both lock files, by registry and name."""
    python = [
        Package(
            "pypi", found["name"], found["version"], stated.get(found["name"]) or read_licence(found["name"])
        )
        for found in LOCKED.finditer((ROOT / "requirements/base.txt").read_text())
    ]
    node = [
        Package(
            "npm",
            path.removeprefix("node_modules/"),
            entry["version"],
            entry.get("license", ""),
            read_sha512(entry["integrity"]),
        )
        for path, entry in json.loads((ROOT / "package-lock.json").read_text())["packages"].items()
        if path and not entry.get("dev")
    ]
    return sorted([*python, *node], key=lambda package: (package.registry, package.name, package.version))


def read_sha512(integrity: str) -> str:
    """A checksum as npm's lock file writes it, in hexadecimal.

    >>> read_sha512("sha512-3q2+7w==")
    'deadbeef'
    """
    return base64.b64decode(integrity.removeprefix("sha512-")).hex()


def read_licence(name: str) -> str:
    """The licence of an installed Python package in SPDX, or "" if its metadata does not say it exactly."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    says = about.json  # fields in small letters; a list where one may occur several times
    if expression := says.get("license_expression"):
        return str(expression)
    if is_supported_id(text := str(says.get("license", ""))):
        return text
    return "MIT" if MIT in says.get("classifier", ()) else ""


def check_licences(packages: Iterable[Package], allowed: Iterable[str]) -> None:
    """Refuse packages of which no licence is allowed; of several joined by AND, each must be.

    Raises:
        LicenceError: Names them.
    """
    ids = set(allowed)
    refused = [
        f"{package.name} {package.version}: {package.licence or 'unknown licence'}"
        for package in packages
        if not all(ids & set(part.split(" OR ")) for part in package.licence.split(" AND "))
    ]
    if refused:
        raise LicenceError("\n".join(refused))


def write_bill_of_materials(packages: Iterable[Package], version: str, file: Path) -> None:
    """Write a bill of materials of the portal in CycloneDX 1.6 (JSON)."""
    licences = LicenseFactory()
    portal = Component(name="portal", version=version, type=ComponentType.APPLICATION, bom_ref="portal")
    bom = Bom()
    bom.metadata.component = portal
    for package in packages:
        namespace, _, name = package.name.rpartition("/")
        url = PackageURL(package.registry, namespace or None, name, package.version)
        component = Component(
            name=package.name,
            version=package.version,
            type=ComponentType.LIBRARY,
            purl=url,
            bom_ref=str(url),
            licenses=[licences.make_from_string(package.licence)] if package.licence else (),
            hashes=[HashType(alg=HashAlgorithm.SHA_512, content=package.sha512)] if package.sha512 else (),
        )
        bom.components.add(component)
        bom.register_dependency(portal, [component])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(JsonV1Dot6(bom).output_as_string(indent=2) + "\n")


def write_licences(packages: Iterable[Package], file: Path) -> None:
    """Write a row a package: name, version, licence and registry (CSV)."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["name", "version", "licence", "registry"])
        writer.writerows([row.name, row.version, row.licence, row.registry] for row in packages)


def main(what: str, file: str) -> None:
    """Write the file that the Makefile names; exits with 1 if a licence is not allowed."""
    settings = read_settings()
    packages = read_packages(settings.stated)
    if what == "sbom":
        write_bill_of_materials(packages, settings.version, Path(file))
    else:
        write_licences(packages, Path(file))
        try:
            check_licences(packages, settings.allowed)
        except LicenceError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
