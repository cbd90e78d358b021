"""Checks of what a provider signs: ID tokens and logout tokens. Pure: keys and the time are arguments."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, KeySet, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from nacl.bindings import crypto_core_ed25519_is_valid_point

from portal.platform.openid.errors import ClockError, TokenRefusedError

LEEWAY = timedelta(minutes=2)  # by which the two clocks may differ
LONGEST_WAY = timedelta(minutes=10)  # from a token's issue to here
CLOCK_AT_FAULT = timedelta(hours=1)  # beyond it a token is simply old
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LATEST = 1e12  # seconds since 1970, beyond any clock; comparing NaN with it is false
LONGEST_SUBJECT = 255  # characters: OpenID Connect Core 2

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ExpectedToken:
    """Who must have signed a token, how, and for whom alone."""

    issuer: str
    client_id: str
    algorithms: tuple[str, ...]


class UnknownKeyError(TokenRefusedError):
    """The token names a key that the provider had not published when its keys were last read."""

    def __init__(self) -> None:
        super().__init__("unknown_key")


def parse_keys(document: Mapping[str, Any]) -> KeySet:
    """The provider's public keys for signatures; keys of other kinds or uses, or unreadable, are left out.

    So is an Ed25519 key of a small group, under which anybody could sign, and every Ed448 key, because the
    libraries do not tell which of those are such.
    """
    stated = document.get("keys")
    keys: list[Key] = []
    for entry in stated if isinstance(stated, list) else []:
        if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or entry.get("kty") == "oct":
            continue
        try:
            key = JWKRegistry.import_key(entry)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, RSAKey | ECKey) or (isinstance(key, OKPKey) and _is_sound(key)):
            keys.append(key)
    return KeySet(keys)


def _is_sound(key: OKPKey) -> bool:
    raw = key.public_key.public_bytes_raw()
    return key.curve_name == "Ed25519" and crypto_core_ed25519_is_valid_point(raw)


def read_id_token(
    token: str, keys: KeySet, expected: ExpectedToken, *, nonce: str, access_token: str, at: datetime
) -> Claims:
    """The claims of an ID token that this provider issued to this client for this sign-in.

    Args:
        token: As the token endpoint gave it.
        keys: The provider's.
        expected: What it must be.
        nonce: Of the sign-in that was begun.
        access_token: What came beside it, whose hash it may state.
        at: This instant.

    Raises:
        UnknownKeyError: Its key is not among these.
        ClockError: It is not valid yet, or no more, by the portal's clock.
        TokenRefusedError: Anything else about it is not right.
    """
    header, claims = _read_signed(token, keys, expected, types={"", "jwt"})
    _check_times(claims, at)
    options = {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
    }
    params = {"nonce": nonce, "client_id": expected.client_id, "access_token": access_token}
    try:
        checked = CodeIDToken(claims, header, options, params)
        checked.validate(now=int(at.timestamp()), leeway=int(LEEWAY.total_seconds()))
    except (JoseError, ValueError, TypeError) as error:
        raise TokenRefusedError(f"claims_{type(error).__name__}") from error
    if not nonce or claims.get("nonce") != nonce:
        raise TokenRefusedError("nonce")
    if not _is_short_text(claims.get("sub")):
        raise TokenRefusedError("subject")
    return claims


def read_logout_token(token: str, keys: KeySet, expected: ExpectedToken, *, at: datetime) -> Claims:
    """The claims of a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.6).

    Raises:
        UnknownKeyError: Its key is not among these.
        TokenRefusedError: It is not one of this provider's to this client, of now.
    """
    _, claims = _read_signed(token, keys, expected, types={"", "jwt", "logout+jwt"})
    _check_times(claims, at)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise TokenRefusedError("events")
    if "nonce" in claims:  # so that no ID token is taken for one
        raise TokenRefusedError("nonce_present")
    for name in ("jti", "sub", "sid"):
        if name in claims and not _is_short_text(claims[name]):
            raise TokenRefusedError(name)
    if "jti" not in claims or not {"sub", "sid"} & claims.keys():
        raise TokenRefusedError("jti_or_subject_missing")
    return claims


def _read_signed(
    token: str, keys: KeySet, expected: ExpectedToken, *, types: set[str]
) -> tuple[dict[str, Any], Claims]:
    """Header and claims of a token that its issuer signed, of one of these types, for this client alone."""
    # Unknown header fields are left alone, as RFC 7515 wants; "crit" is refused where it names any of them.
    registry = JWSRegistry(algorithms=list(expected.algorithms), strict_check_header=False)
    try:
        decoded = jwt.decode(token, keys, registry=registry)
    except InvalidKeyIdError as error:
        raise UnknownKeyError from error
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise TokenRefusedError(f"signature_{type(error).__name__}") from error
    if str(decoded.header.get("typ", "")).lower().removeprefix("application/") not in types:
        raise TokenRefusedError("type")
    if decoded.claims.get("iss") != expected.issuer:
        raise TokenRefusedError("issuer")
    if decoded.claims.get("aud") not in (expected.client_id, [expected.client_id]):
        raise TokenRefusedError("audience")
    return decoded.header, decoded.claims


def _check_times(claims: Claims, at: datetime) -> None:
    """Refuse a token that was not issued just now, or has run out."""
    times = {name: claims[name] for name in ("iat", "exp", "nbf") if name in claims}
    if not {"iat", "exp"} <= times.keys() or not all(map(_is_time, times.values())):
        raise TokenRefusedError("times_missing")
    now, leeway = at.timestamp(), LEEWAY.total_seconds()
    ahead = times["iat"] - now
    right = -LONGEST_WAY.total_seconds() <= ahead <= leeway
    if right and times["exp"] > now - leeway and times.get("nbf", now) <= now + leeway:
        return
    if abs(ahead) <= CLOCK_AT_FAULT.total_seconds():
        raise ClockError(round(ahead))
    raise TokenRefusedError("expired")


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < LATEST


def _is_short_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_SUBJECT and "\x00" not in value
