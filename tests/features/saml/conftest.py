"""The force's identity provider by SAML, as tests of signing in meet it: a real one, and one that lies."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
from flask import Flask

from portal.features.saml.settings import SamlSettings
from tests.features.saml.hostile_idp import HostileIdp
from tests.features.saml.keys import make_pair
from tests.pages.account.browsing import make_account
from tests.pages.sign_in.walking import PORTAL


@pytest.fixture
def use_idp(app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """Set the portal to sign people in with a provider of this metadata; returns the metadata's file."""

    def use(metadata: str, **more: str) -> Path:
        (file := tmp_path / "idp.xml").write_text(metadata)
        key, certificate = make_pair("portal").write(tmp_path, "portal")
        names = {field.name for field in fields(SamlSettings)}
        saml = {
            "idp_metadata": str(file), "entity_id": "", "key_files": (str(key),), "encryption": "accepted",
            "certificate_files": (str(certificate),), "match_attribute": "employee_id",
            "match_field": "staff_number", "subject_attribute": "", "label": "your Westshire account",
        } | {name: value for name, value in more.items() if name in names}  # fmt: skip
        others = {name: value for name, value in more.items() if name not in names}
        own = {"saml": SamlSettings(**saml)}
        config = replace(app.config["PORTAL"], feature_settings=own, public_url=PORTAL, **others)
        monkeypatch.setitem(app.config, "PORTAL", config)
        return file

    return use


@pytest.fixture
def hostile(database: None, tmp_path: Path) -> HostileIdp:
    """A provider that says what the test wants."""
    return HostileIdp(tmp_path)


@pytest.fixture
def trusted(hostile: HostileIdp, use_idp: Callable[..., Path]) -> HostileIdp:
    """The same, which the portal trusts; D1001 has an account with a password."""
    make_account("D1001")
    use_idp(hostile.metadata())
    return hostile
