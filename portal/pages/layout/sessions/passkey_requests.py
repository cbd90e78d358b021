"""What pages ask a browser's passkeys for, and the check of their answers."""

import json
from collections.abc import Iterable
from datetime import datetime

from flask import request, session

from portal.domain.accounts import factors
from portal.domain.accounts.errors import PasskeyRefusedError
from portal.domain.accounts.factors import NewPasskey
from portal.domain.accounts.queries import Account
from portal.pages.layout.sessions import cookies
from portal.pages.layout.sessions.step_up import own_relying_party
from portal.platform import clock
from portal.platform.observability.logs import get_logger

_log = get_logger("portal.sign_in")
SIGN_IN, AGAIN, ADD = "sign in", "sign in again", "add"  # what a challenge is for
FIELD = "passkey"  # of the form that the script fills


def sign_in_options(purpose: str = SIGN_IN, known: Iterable[str] = ()) -> str:
    """Options for the browser as JSON; empty where the portal's address can have no passkeys.

    Args:
        purpose: What the answer may be used for.
        known: Ids of the passkeys that may answer; none: any of this portal.
    """
    party = own_relying_party()
    if not party.may_have_passkeys:
        return ""
    cookies.form_token()  # makes the browser's secret, if it has none yet
    challenge = factors.make_challenge(_context(purpose), _key(), clock.now())
    return json.dumps(factors.request_options(challenge, party, known))


def creation_options(me: Account, known: Iterable[str]) -> str:
    """Options for the browser to make a passkey, as JSON; empty where the address can have none.

    Args:
        me: Whose it will be.
        known: Ids of the passkeys that they have.
    """
    party = own_relying_party()
    if not party.may_have_passkeys:
        return ""
    options = factors.creation_options(
        factors.make_challenge(_context(ADD), _key(), clock.now()),
        party,
        handle=factors.user_handle(me.person_id, _key()),
        name=me.viewer.staff_number,
        display_name=me.display_name,
        known=known,
    )
    return json.dumps(options)


def accept_new_passkey(at: datetime) -> NewPasskey:
    """The passkey that the browser made for this form, in the caller's transaction.

    Raises:
        PasskeyRefusedError: The answer is not one to believe.
    """
    answer = request.form.get(FIELD, "")
    challenge = factors.challenge_of_answer(answer)
    factors.spend_challenge(challenge, _context(ADD), _key(), at)
    return factors.check_new_passkey(answer, challenge, own_relying_party())


def accept_answer(purpose: str, at: datetime, *, person_id: int | None = None) -> int:
    """Whose passkey answered this form, in the caller's transaction.

    Raises:
        PasskeyRefusedError: The answer is not one to believe.
    """
    return factors.accept_passkey(
        request.form.get(FIELD, ""), _context(purpose), own_relying_party(), _key(), at, person_id=person_id
    )


def log_refusal(error: PasskeyRefusedError) -> None:
    """Note for whoever runs the portal why an answer was refused."""
    address = cookies.request_origin().address
    _log.warning("passkey.refused", reason=error.reason, address=address)


def _context(purpose: str) -> str:
    """What a challenge is bound to: its purpose, and the secret of this browser's forms."""
    return f"{purpose} {session.get('csrf_token', '')}"


def _key() -> str:
    return cookies.current_settings().secret_key
