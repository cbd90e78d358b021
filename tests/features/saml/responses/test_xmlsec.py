"""xmlsec1 runs for a moment, leaves nothing behind, and its absence is said."""

import tempfile
from pathlib import Path

import pytest

from portal.features.saml import provider as saml_provider
from portal.features.saml.provider import SamlProvider
from portal.platform.openid.claims import ProviderUnavailableError
from tests.features.saml.hostile_idp import HostileIdp
from tests.features.saml.keys import make_pair
from tests.features.saml.responses.reading import read, reason_of


@pytest.fixture(autouse=True)
def forget_version() -> None:
    """Ask xmlsec1 for its version anew, before and after each test."""
    saml_provider._search_options.cache_clear()
    yield
    saml_provider._search_options.cache_clear()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is looked in first for programs."""
    (folder := tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def put_program(folder: Path, lines: str, version: str = "1.2.41") -> None:
    asked = f'[ "$1" = --version ] && exec echo "xmlsec1 {version} (openssl)"'
    (program := folder / "xmlsec1").write_text(f"#!/bin/sh\n{asked}\n{lines}\n")
    program.chmod(0o700)


def test_nothing_is_left_of_what_was_brought(
    provider: SamlProvider, idp: HostileIdp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    right = idp.encrypt(idp.signed_response("_request"), make_pair("portal").certificate)
    wrong = idp.sign(idp.response(idp.assertion("_request")), pair=make_pair("attacker"))

    read(provider, right)
    reason_of(provider, wrong)

    assert list(folder.iterdir()) == []


def test_a_program_that_hangs_is_ended(
    provider: SamlProvider, idp: HostileIdp, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = idp.signed_response("_request")
    put_program(programs, f"echo $$ >{tmp_path}/pid\nexec sleep 60")
    monkeypatch.setattr(saml_provider, "SECONDS", 0.3)

    assert reason_of(provider, document) == "too_slow"
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_a_program_that_is_gone_is_no_fault_of_whoever_signs_in(
    provider: SamlProvider, idp: HostileIdp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = idp.signed_response("_request")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ProviderUnavailableError, match="xmlsec1_does_not_start"):
        read(provider, document)


def test_the_program_has_little_memory_and_time(
    provider: SamlProvider, idp: HostileIdp, programs: Path, tmp_path: Path
) -> None:
    document = idp.signed_response("_request")
    put_program(programs, f"ulimit -v >{tmp_path}/limits; ulimit -t >>{tmp_path}/limits; exit 1")

    reason_of(provider, document)

    assert (tmp_path / "limits").read_text().split() == [str(512 * 1024), "5"]


def test_a_newer_program_is_told_to_use_the_given_key(
    provider: SamlProvider, idp: HostileIdp, programs: Path, tmp_path: Path
) -> None:
    """From 1.3 on xmlsec1 uses only keys that the document names, unless an option says otherwise."""
    document = idp.signed_response("_request")
    put_program(programs, f'echo "$@" >{tmp_path}/words\nexit 1', version="1.3.7")

    assert reason_of(provider, document) == "signature"
    assert "--verify --lax-key-search " in (tmp_path / "words").read_text()
