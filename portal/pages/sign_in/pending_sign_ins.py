"""Sign-ins that this browser has begun at the provider, in its signed cookie until they end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import session

from portal.platform.openid.subjects import PendingSignIn

KEY = "oidc"
LASTS = timedelta(hours=1)  # somebody may have to set up a second factor on the way
MOST_PENDING = 3  # tabs; a cookie holds 4 KiB
LONGEST_NEXT = 600  # characters of an address to go to afterwards


@dataclass(frozen=True, slots=True)
class BegunSignIn:
    """A sign-in that this browser has begun at the provider."""

    pending: PendingSignIn
    next_page: str | None
    again: bool  # in an open session, whose person shows again who they are
    is_file: bool  # the page to go to is a file


def remember(begun: BegunSignIn, at: datetime) -> None:
    """Keep what the end of this sign-in must meet; the oldest goes where there are too many."""
    kept = [*_list_unexpired(at), _as_values(begun, at)]
    session[KEY] = kept[-MOST_PENDING:]


def take(state: str, at: datetime) -> BegunSignIn | None:
    """The sign-in of this state, once; None where this browser began none."""
    kept = _list_unexpired(at)
    match = next((values for values in kept if values["state"] == state), None)
    if match is None:
        return None
    session[KEY] = [values for values in kept if values is not match]
    pending = PendingSignIn(match["state"], match["nonce"], match["verifier"])
    return BegunSignIn(pending, match["next"], bool(match.get("again")), bool(match.get("file")))


def _as_values(begun: BegunSignIn, at: datetime) -> Mapping[str, Any]:
    pending, next_page = begun.pending, begun.next_page
    return {
        "state": pending.state,
        "nonce": pending.nonce,
        "verifier": pending.code_verifier,
        "next": next_page if next_page and len(next_page) <= LONGEST_NEXT else None,
        "again": begun.again,
        "file": begun.is_file,
        "at": int(at.timestamp()),
    }


def _list_unexpired(at: datetime) -> list[Mapping[str, Any]]:
    oldest = (at - LASTS).timestamp()
    return [values for values in session.get(KEY, []) if values["at"] >= oldest]
