"""A provider of the tests' own that signs and answers whatever a test wants."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from tests.pages.sign_in.walking import CLIENT_ID, CLIENT_SECRET, PORTAL

Claims = dict[str, Any]
Key = RSAKey | ECKey | OKPKey
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


def new_key(kid: str, kind: str = "RSA", size: int | str = 2048, **more: str) -> Any:
    """A key pair under this name."""
    kinds: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    return kinds[kind].generate_key(size, {"kid": kid, "use": "sig", **more})


FIRST_KEY, SECOND_KEY = new_key("first"), new_key("second")


def sign(claims: Claims, key: Key = FIRST_KEY, alg: str = "RS256", **header: Any) -> str:
    """A signed token; a part of the header that is None is left out."""
    parts = _parts(claims, alg, **header)
    return f"{parts}.{_encode(JWSRegistry.algorithms[alg].sign(parts.encode(), key))}"


def published(key: Any) -> Claims:
    """The public half of a key, as a provider publishes it."""
    public: Claims = key if isinstance(key, dict) else key.as_dict(private=False)
    return public


def unsigned(claims: Claims) -> str:
    """A token with ``alg`` none."""

    return f"{_parts(claims, 'none')}."


def sign_with_shared(secret: bytes, claims: Claims) -> str:
    """A token signed with HS256, which no careful library makes of a public key."""
    parts = _parts(claims, "HS256")
    return f"{parts}.{_encode(hmac.digest(secret, parts.encode(), 'sha256'))}"


def _parts(claims: Claims, alg: str, **header: Any) -> str:
    wanted = {"alg": alg, "typ": "JWT", "kid": "first", **header}
    head = {name: value for name, value in wanted.items() if value is not None}
    return ".".join(_encode(json.dumps(value).encode()) for value in (head, claims))


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass
class HostileProvider:
    """What it answers, each part of which a test may change."""

    issuer: str = ""
    metadata: Claims = field(default_factory=dict)  # over what it says of itself
    keys: list[Any] = field(default_factory=lambda: [FIRST_KEY])
    claims: Claims = field(default_factory=dict)  # over those of a right ID token; None leaves one out
    header: Claims = field(default_factory=dict)
    make_token: Callable[[Claims], str] | None = None
    token_answer: Claims = field(default_factory=dict)  # over the answer of the token endpoint
    userinfo: Claims | None = None
    before: Callable[[str], tuple[int, str, dict[str, str]] | None] = lambda _path: None  # answers instead
    asked: list[str] = field(default_factory=list)
    _codes: dict[str, Claims] = field(default_factory=dict)

    def answer_to(self, address: str, **changes: str | None) -> str:
        """The portal's address with which a browser comes back from ``address``, parameters changed."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        answer: dict[str, str | None] = {"code": code, "state": asked["state"], "iss": self.issuer, **changes}
        kept = {name: value for name, value in answer.items() if value is not None}
        return f"{PORTAL}/sign-in/oidc/callback?{urlencode(kept)}"

    def right_claims(self, nonce: str = "") -> Claims:
        """Those of an honest token of now, for D1001, then this provider's changes."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "jo",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
        }
        claims |= {"employee_id": "D1001", "email": "d1001@westshire.example", "sid": "sid-1"} | self.claims
        return {name: value for name, value in claims.items() if value is not None}

    def logout_token(self, *, key: Key = FIRST_KEY, header: Claims | None = None, **changes: Any) -> str:
        """A logout token of now for the session of ``right_claims``; None leaves a claim out."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 120,
            "jti": f"jti-{time.time_ns()}",
        }
        claims |= {"sub": "jo", "sid": "sid-1", "events": {LOGOUT_EVENT: {}}} | changes
        kept = {name: value for name, value in claims.items() if value is not None}
        return sign(kept, key, **{"typ": "logout+jwt", **(header or {})})

    def respond(self, method: str, path: str, body: str, headers: Any) -> tuple[int, str, dict[str, str]]:
        """The status, body and headers of an answer."""
        self.asked.append(path)
        if instead := self.before(path):
            return instead
        if path == "/.well-known/openid-configuration":
            return 200, json.dumps(self._about_itself()), {}
        if path == "/jwks":
            return 200, json.dumps({"keys": [published(key) for key in self.keys]}), {}
        if path == "/userinfo":
            return 200, json.dumps(self.userinfo), {}
        if path == "/token" and method == "POST":
            return self._redeem({name: values[0] for name, values in parse_qs(body).items()}, headers)
        return 404, "", {}

    def _about_itself(self) -> Claims:
        about = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/end",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "authorization_response_iss_parameter_supported": True,
        }
        about |= {"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.userinfo is not None else {}
        return about | self.metadata

    def _redeem(self, sent: dict[str, str], headers: Any) -> tuple[int, str, dict[str, str]]:
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        asked = self._codes.pop(sent.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        if headers.get("Authorization") != f"Basic {expected}":
            return 401, json.dumps({"error": "invalid_client"}), {}
        if (
            asked is None
            or challenge.rstrip(b"=").decode() != asked["code_challenge"]
            or sent.get("redirect_uri") != asked["redirect_uri"]
        ):
            return 400, json.dumps({"error": "invalid_grant"}), {}
        claims = self.right_claims(asked["nonce"])
        token = self.make_token(claims) if self.make_token else sign(claims, **self.header)
        answer = {"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": token}
        answer |= self.token_answer
        return 200, json.dumps({name: value for name, value in answer.items() if value is not None}), {}


class _Handler(BaseHTTPRequestHandler):
    provider: HostileProvider

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def _respond(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        status, text, headers = self.provider.respond(
            self.command, urlsplit(self.path).path, body, self.headers
        )
        try:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())
        except OSError:  # the portal no longer waits
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class RunningProvider:
    """A hostile provider at a free port of this machine, in a thread of its own."""

    def __init__(self) -> None:
        self.provider = HostileProvider()
        handler = type("Handler", (_Handler,), {"provider": self.provider})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.provider.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> HostileProvider:
        self._thread.start()
        return self.provider

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
