"""Signed documents, and an independent reader: openssl and a few lines of Python check them."""

import base64
import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from portal.platform.errors import BadInputError
from portal.platform.signing.documents import is_genuine, read_document, sign_document, write_canonical
from portal.platform.signing.keys import (
    SigningKeyError,
    is_signed_by,
    load_private_key,
    make_key_file,
    take_fingerprint,
    write_public_key,
)
from portal.platform.signing.settings import ReturnSettings

VALUES = st.recursive(
    st.none() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
ONE = (1).to_bytes(32, "little")
# Every point of a small group, and two that are written in a second way.
SMALL = [
    ONE,
    bytes(32),
    bytes(31) + b"\x80",
    (2**255 - 20).to_bytes(32, "little"),
    (2**255 - 19).to_bytes(32, "little"),
    (2**255 - 18).to_bytes(32, "little"),
    *(
        bytes.fromhex(point)
        for point in (
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        )
    ),
]
DOCUMENTS = st.dictionaries(st.sampled_from(["b", "a", "figures"]), VALUES, max_size=3)


def verify_with_openssl(file: Path, folder: Path) -> bool:
    """What docs/returns.md tells an outsider to do: nothing of the portal is used."""
    document = json.loads(file.read_text(encoding="utf-8"))
    signature = document.pop("signature")
    raw = base64.b64decode(signature["public_key"])
    der = bytes.fromhex("302a300506032b6570032100") + raw  # RFC 8410
    pem = base64.b64encode(der).decode()
    (folder / "key.pem").write_text(f"-----BEGIN PUBLIC KEY-----\n{pem}\n-----END PUBLIC KEY-----\n")
    (folder / "value").write_bytes(base64.b64decode(signature["value"]))
    message = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    (folder / "message").write_bytes(message.encode())
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "message"]
    run = subprocess.run(
        [*command, "-sigfile", "value"], cwd=folder, capture_output=True, check=False, timeout=60
    )
    return run.returncode == 0


def test_openssl_verifies_a_document_and_refuses_a_changed_one(tmp_path: Path) -> None:
    key = make_key_file(tmp_path / "private.pem")
    file = tmp_path / "return.json"
    file.write_bytes(sign_document({"force": "Ynys Môn", "figures": [1, None], "text": '"\\ \u2028'}, key))

    assert verify_with_openssl(file, tmp_path)
    file.write_text(file.read_text().replace("Môn", "Mon"))
    assert not verify_with_openssl(file, tmp_path)


@given(DOCUMENTS)
def test_what_is_signed_is_genuine_and_nothing_else_is(document: dict[str, object]) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
    other = {**document, "another": 1}

    read = read_document(sign_document(document, key))

    assert is_genuine(read, write_public_key(key))
    assert write_canonical(read) == write_canonical(document)
    assert not is_genuine({**other, "signature": read["signature"]}, write_public_key(key))


def test_a_key_file_is_its_owners_alone_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    key = make_key_file(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert write_public_key(load_private_key(path)) == write_public_key(key)
    with pytest.raises(SigningKeyError, match="never written over"):
        make_key_file(path)
    path.chmod(0o644)
    with pytest.raises(SigningKeyError, match="read by others"):
        load_private_key(path)


def test_a_fingerprint_is_the_hash_of_the_raw_key(tmp_path: Path) -> None:
    public = write_public_key(make_key_file(tmp_path / "key.pem"))

    assert take_fingerprint(public) == hashlib.sha256(base64.b64decode(public)).hexdigest()
    with pytest.raises(SigningKeyError):
        take_fingerprint("short")


@pytest.mark.parametrize("raw", SMALL, ids=bytes.hex)
def test_a_key_under_which_anybody_signs_is_none(raw: bytes) -> None:
    public = base64.b64encode(raw).decode()

    assert not any(is_signed_by(public, ONE + bytes(32), b"%d" % number) for number in range(40))
    with pytest.raises(SigningKeyError):
        take_fingerprint(public)
    assert list(ReturnSettings("", "", "", public).list_faults())


def test_a_document_that_says_something_twice_is_refused() -> None:
    with pytest.raises(BadInputError):
        read_document(b'{"a": 1, "b": {"c": 1, "c": 2}}')


def test_settings_say_what_is_wrong(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    make_key_file(key)
    good = ReturnSettings(str(key), "westshire", "on", "")
    bad = ReturnSettings(str(tmp_path / "none"), "West shire", "yes", "abc")

    assert list(good.list_faults()) == []
    assert [fault.split()[0] for fault in bad.list_faults()] == [
        "RETURN_KEY_FILE",
        "RETURN_FORCE",
        "COORDINATOR",
        "COORDINATOR_KEY",
    ]
    assert good.is_coordinator("production")
    assert not ReturnSettings("", "", "", "").is_coordinator("production")
    assert ReturnSettings("", "", "", "").is_coordinator("demo")
