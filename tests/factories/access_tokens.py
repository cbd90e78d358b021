"""Access tokens, made by the service, and the header with which a request shows one."""

from datetime import datetime

from portal.domain import access_tokens
from portal.domain.access_tokens import TokenScope
from portal.platform import clock
from portal.platform.db import transaction


def make_token(
    scope: TokenScope = TokenScope.READ,
    *,
    name: str = "power-bi",
    unit: int | None = None,
    directive: str | None = None,
    days: int = 30,
    at: datetime | None = None,
) -> str:
    """A token that works, as the other system has it."""
    with transaction():
        return access_tokens.create_token(
            name,
            scope,
            unit_id=unit,
            directive_reference=directive,
            days=days,
            by=None,
            at=at or clock.now(),
        )


def bearer(plain: str) -> dict[str, str]:
    """The header of a request with this token."""
    return {"Authorization": f"Bearer {plain}"}
