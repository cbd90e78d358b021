"""Settings of SAML that are wrong are a sentence each at the start; so is what is not installed."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from config import Config, ConfigError
from tests.features.saml.hostile_idp import HostileIdp
from tests.features.saml.keys import make_pair
from tests.running import ROOT

NEEDED = (
    "SAML_IDP_METADATA", "SAML_KEY_FILE", "SAML_CERTIFICATE_FILE", "SAML_MATCH_ATTRIBUTE", "SAML_MATCH_FIELD",
)  # fmt: skip
WRONG = {
    "SAML_IDP_METADATA": ("/nowhere/idp.xml", "portal.pem"),
    "SAML_ENTITY_ID": ("learning portal", "learning"),
    "SAML_KEY_FILE": ("/nowhere/key.pem", "portal.pem", "curve.key", "weak.key", "portal.key,second.key"),
    "SAML_CERTIFICATE_FILE": ("/nowhere/c.pem", "portal.key", "second.pem", "portal.pem,second.pem"),
    "SAML_MATCH_ATTRIBUTE": (
        "mail", "urn:oid:0.9.2342.19200300.100.1.3", "employee id",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    ),
    "SAML_SUBJECT_ATTRIBUTE": ("mail", "x" * 301),
    "SAML_MATCH_FIELD": ("email", "staff number"),
    "SAML_ENCRYPTION": ("yes",),
    "SAML_LABEL": ("x" * 61, "your\naccount"),
}  # fmt: skip


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A portal whose settings of SAML are right."""
    (tmp_path / "idp.xml").write_text(HostileIdp(tmp_path).metadata())
    for name, pair in {
        "portal": make_pair("portal"), "second": make_pair("second"), "curve": make_pair("curve", "ec"),
        "weak": make_pair("weak", size=1024),
    }.items():  # fmt: skip
        pair.write(tmp_path, name)
    for name in ("OIDC_ISSUER", "LOCAL_SIGN_IN", *WRONG):
        monkeypatch.delenv(name, raising=False)
    right = {
        "PORTAL_MODE": "demo", "INSTANCE_DIR": str(tmp_path / "instance"), "SAML_MATCH_FIELD": "staff_number",
        "SAML_IDP_METADATA": str(tmp_path / "idp.xml"), "SAML_KEY_FILE": str(tmp_path / "portal.key"),
        "SAML_CERTIFICATE_FILE": str(tmp_path / "portal.pem"), "SAML_MATCH_ATTRIBUTE": "employee_id",
    }  # fmt: skip
    for name, value in right.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def sentences() -> tuple[str, ...]:
    """What the start says."""
    with pytest.raises(ConfigError) as refused:
        Config()
    return refused.value.sentences


def test_right_settings_make_a_provider_and_passwords_are_for_administrators(environment) -> None:
    config = Config()

    assert config.provider_issuer == "https://idp.westshire.example/metadata"
    assert config.provider_label == "your force account"
    assert not config.passwords_for_everyone
    environment.setenv("LOCAL_SIGN_IN", "everyone")
    assert Config().passwords_for_everyone


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_value_is_one_sentence_that_names_its_setting(environment, tmp_path, name, value) -> None:
    is_file = name.endswith(("FILE", "METADATA")) and not value.startswith("/")
    parts = [str(tmp_path / part) if is_file else part for part in value.split(",")]
    environment.setenv(name, ",".join(parts))

    (sentence,) = sentences()

    assert name in sentence
    assert sentence.endswith((".", "/saml/metadata"))


@pytest.mark.parametrize("missing", NEEDED)
def test_a_sign_in_that_is_set_in_part_names_what_is_missing(environment, missing) -> None:
    environment.delenv(missing)

    assert sentences() == (f"{missing} must be set too: SAML needs all of them.",)


def test_a_portal_has_one_provider(environment) -> None:
    for name, value in {
        "ISSUER": "https://login.example", "CLIENT_ID": "portal", "CLIENT_SECRET": "5f0c",
        "MATCH_CLAIM": "employee_id", "MATCH_FIELD": "staff_number",
    }.items():  # fmt: skip
        environment.setenv(f"OIDC_{name}", value)

    (sentence,) = sentences()

    assert sentence.startswith("OIDC_ISSUER and SAML_IDP_METADATA are both set")


def test_a_package_that_is_absent_is_named_with_how_to_install_it(environment) -> None:
    found = importlib.util.find_spec
    environment.setattr(importlib.util, "find_spec", lambda name: None if name == "saml2" else found(name))

    (sentence,) = sentences()

    assert "pysaml2" in sentence
    assert "pip install --require-hashes -r requirements/production.txt" in sentence


def test_a_program_that_is_absent_is_named_with_how_to_install_it(environment, tmp_path) -> None:
    environment.setenv("PATH", str(tmp_path))

    (sentence,) = sentences()

    assert "apt-get install xmlsec1" in sentence


@pytest.mark.slow
def test_nothing_of_saml_is_loaded_where_it_is_not_set(tmp_path) -> None:
    """It takes 16 MiB in each process."""
    lines = (
        "import sys; from portal.app import create_app; from config import Config;"
        "app = create_app(Config());"
        "app.test_client().get('/healthz');"
        "print([name for name in ('saml2', 'xmlschema', 'OpenSSL') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", lines],
        env={"PORTAL_MODE": "demo", "INSTANCE_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stdout.strip() == "[]", done.stderr
