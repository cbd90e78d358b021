"""A provider by SAML that says what a test wants, and the portal's reading of it, without pages."""

from collections.abc import Callable
from pathlib import Path

import pytest

from portal.features.saml.provider import SamlProvider
from portal.features.saml.settings import SamlSettings
from tests.features.saml.hostile_idp import HostileIdp
from tests.features.saml.keys import make_pair
from tests.pages.sign_in.walking import PORTAL

MakeProvider = Callable[..., SamlProvider]


@pytest.fixture
def idp(tmp_path: Path) -> HostileIdp:
    """A provider that says what the test wants."""
    return HostileIdp(tmp_path)


@pytest.fixture
def make_provider(idp: HostileIdp, tmp_path: Path) -> MakeProvider:
    """The portal's side of it, which trusts these metadata."""

    def make(metadata: str = "", **more: str | tuple[str, ...]) -> SamlProvider:
        (file := tmp_path / "idp.xml").write_text(metadata or idp.metadata())
        key, certificate = make_pair("portal").write(tmp_path, "portal")
        settings: dict[str, str | tuple[str, ...]] = {
            "idp_metadata": str(file), "entity_id": "", "key_files": (str(key),),
            "certificate_files": (str(certificate),), "match_attribute": "employee_id",
            "match_field": "staff_number", "subject_attribute": "", "encryption": "accepted", "label": "x",
        }  # fmt: skip
        return SamlProvider(SamlSettings(**settings | more), PORTAL)  # type: ignore[arg-type]

    return make


@pytest.fixture
def provider(make_provider: MakeProvider) -> SamlProvider:
    """The portal's side of it."""
    return make_provider()
