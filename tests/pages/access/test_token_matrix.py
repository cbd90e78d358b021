"""Every kind of access token × every route × every method, enumerated from the URL map.

A token opens the routes that accept its scope, and no page: those are for people alone.
"""

from datetime import timedelta

import pytest
import time_machine

from portal.domain import access_tokens
from portal.domain.access_tokens import TokenScope
from portal.pages.layout.access import is_public, scopes_of
from portal.platform import clock
from portal.platform.db import transaction
from tests.factories.access_tokens import bearer, make_token
from tests.pages.access.world import address_of, make_world
from tests.pages.account.browsing import another

READ, WRITE, SCIM, REVOKED, EXPIRED, WRONG, NONE = (
    "read", "write", "scim", "revoked", "expired", "wrong", "none",
)  # fmt: skip
DEAD = {REVOKED, EXPIRED, WRONG, NONE}
NOT_FOR_TOKENS = {302, 303, 400, 401, 404, 405, 415}  # what somebody who is not signed in is answered


def headers_of(kind: str) -> dict[str, str]:
    """The header of a request with a token of this kind."""
    if kind == NONE:
        return {}
    if kind == WRONG:
        return bearer("oicp_" + "x" * 43)
    plain = make_token(TokenScope(kind) if kind in set(TokenScope) else TokenScope.READ, days=1)
    if kind == REVOKED:
        with transaction():
            access_tokens.revoke_token(access_tokens.token_of_name("power-bi"), by=None, at=clock.now())
    return bearer(plain)


@pytest.mark.parametrize("kind", [READ, WRITE, SCIM, REVOKED, EXPIRED, WRONG, NONE])
def test_a_token_opens_the_routes_of_its_scope_alone(app, database, kind):
    world, headers, wrong = make_world("nobody"), headers_of(kind), []
    client = another(app)
    with time_machine.travel(clock.now() + timedelta(days=2 if kind == EXPIRED else 0), tick=False):
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint):
            view = app.view_functions[rule.endpoint]
            scopes = scopes_of(view)
            if not scopes and is_public(view):
                continue
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                address = address_of(app, rule, world.subjects["own"])
                status = client.open(address, method=method, headers=headers).status_code
                if not scopes:
                    right = status in NOT_FOR_TOKENS
                elif kind in DEAD:
                    right = status in ({401} if kind == NONE else {401, 429})  # too many are slowed down
                elif kind in scopes:
                    right = status not in {401, 403, 429} and status < 500
                else:
                    right = status == 403
                if not right:
                    wrong.append(f"{method} {address}: {status}")

    assert wrong == []
