"""Sign-ins that this browser has begun at the provider, in its signed cookie until they end."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import session

from portal.platform.openid.subjects import PendingSignIn

KEY = "oidc"
LASTS = timedelta(hours=1)  # somebody may have to set up a second factor on the way
MOST_PENDING = 3  # tabs; a cookie holds 4 KiB
LONGEST_NEXT = 600  # characters of an address to go to afterwards


def remember(pending: PendingSignIn, next_page: str | None, at: datetime) -> None:
    """Keep what the end of this sign-in must meet; the oldest goes where there are too many."""
    kept = [*_list_unexpired(at), _as_values(pending, next_page, at)]
    session[KEY] = kept[-MOST_PENDING:]


def take(state: str, at: datetime) -> tuple[PendingSignIn, str | None] | None:
    """The sign-in of this state with the page to go to, once; None where this browser began none."""
    kept = _list_unexpired(at)
    match = next((values for values in kept if values["state"] == state), None)
    if match is None:
        return None
    session[KEY] = [values for values in kept if values is not match]
    pending = PendingSignIn(match["state"], match["nonce"], match["verifier"])
    return pending, match["next"]


def _as_values(pending: PendingSignIn, next_page: str | None, at: datetime) -> Mapping[str, Any]:
    return {
        "state": pending.state,
        "nonce": pending.nonce,
        "verifier": pending.code_verifier,
        "next": next_page if next_page and len(next_page) <= LONGEST_NEXT else None,
        "at": int(at.timestamp()),
    }


def _list_unexpired(at: datetime) -> list[Mapping[str, Any]]:
    oldest = (at - LASTS).timestamp()
    return [values for values in session.get(KEY, []) if values["at"] >= oldest]
