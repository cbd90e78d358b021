"""How, and how lately, somebody signed in at a provider, as its claims say. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from portal.platform.openid.settings import OpenIdSettings

PROVIDER = "provider"  # the second factor of a session that the provider vouches for
LEEWAY = timedelta(minutes=2)  # by which the two clocks may differ


def shows_second_factor(claims: Mapping[str, Any], settings: OpenIdSettings) -> bool:
    """Whether the sign-in had a second factor.

    By default the provider is trusted to ask for one. Where ``OIDC_ACR`` or ``OIDC_AMR`` names values, the
    claim ``acr`` must be one of the first, or ``amr`` have one of the second.
    """
    if not settings.factor_acr and not settings.factor_amr:
        return True
    methods = claims.get("amr")
    listed = {one for one in methods if isinstance(one, str)} if isinstance(methods, list) else set()
    acr = claims.get("acr")
    return (isinstance(acr, str) and acr in settings.factor_acr) or bool(listed & settings.factor_amr)


def is_fresh(claims: Mapping[str, Any], at: datetime, within: timedelta) -> bool:
    """Whether the person showed who they are so lately (``auth_time``), rather than being signed in there."""
    signed_in_at = claims.get("auth_time")
    if isinstance(signed_in_at, bool) or not isinstance(signed_in_at, int | float):
        return False
    seconds = at.timestamp() - signed_in_at
    return -LEEWAY.total_seconds() <= seconds <= within.total_seconds()
