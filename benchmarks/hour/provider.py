"""An OpenID provider on loopback that signs whoever its own cookie names, with a key of its own.

``python -m benchmarks.hour.provider PORT``. Nothing is asked: its people are signed in there already, as
officers at their desks are. It checks what a provider has to: client, secret, code, redirect and PKCE.
"""

import asyncio
import base64
import hashlib
import json
import secrets
import sys
import time
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

TOKEN_SECONDS = 0.15  # until a token is answered: a provider is somewhere else
CLIENT, SECRET = "portal", "benchmark-secret"
CLAIM, FIELD = "employee_id", "staff_number"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code stands for, once."""

    who: str
    nonce: str
    challenge: str
    redirect_uri: str


class Provider:
    """Answers four addresses."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self._key = ECKey.generate_key("P-256", parameters={"kid": secrets.token_hex(8), "use": "sig"})
        self._grants: dict[str, Grant] = {}

    def answer(self, method: str, target: str, headers: dict[str, str], body: str) -> tuple[int, str, str]:
        """Status, location and body of the answer to a request."""
        parts = urlsplit(target)
        if parts.path == "/.well-known/openid-configuration":
            return 200, "", json.dumps(self._metadata())
        if parts.path == "/keys":
            return 200, "", json.dumps({"keys": [self._key.as_dict(private=False)]})
        if parts.path == "/authorize":
            return 302, self._authorise(_single(parts.query), headers.get("cookie", "")), ""
        if (method, parts.path) == ("POST", "/token"):
            return self._redeem(_single(body), headers.get("authorization", ""))
        return 404, "", ""

    def _metadata(self) -> dict[str, object]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "authorization_response_iss_parameter_supported": True,
        }

    def _authorise(self, asked: dict[str, str], cookie: str) -> str:
        who = cookie.partition("who=")[2].partition(";")[0]
        code = secrets.token_urlsafe(24)
        self._grants[code] = Grant(who, asked["nonce"], asked["code_challenge"], asked["redirect_uri"])
        back = {"code": code, "state": asked["state"], "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def _redeem(self, asked: dict[str, str], authorization: str) -> tuple[int, str, str]:
        shown = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        grant = self._grants.pop(asked.get("code", ""), None)
        verifier = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if authorization != f"Basic {shown}":
            return 401, "", json.dumps({"error": "invalid_client"})
        if grant is None or grant.challenge != challenge or grant.redirect_uri != asked["redirect_uri"]:
            return 400, "", json.dumps({"error": "invalid_grant"})
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": f"of-{grant.who}", "nonce": grant.nonce,
            "iat": now, "exp": now + 300, "sid": secrets.token_hex(8), CLAIM: grant.who,
        }  # fmt: skip
        token = jwt.encode({"alg": "ES256", "kid": self._key.kid}, claims, self._key)
        given = {"access_token": secrets.token_hex(16), "token_type": "Bearer", "id_token": token}
        return 200, "", json.dumps(given)


async def _serve(provider: Provider, port: int) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                first, *lines = head.split("\r\n")
                headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
                body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
                method, target, _ = first.split()
                await asyncio.sleep(TOKEN_SECONDS if target == "/token" else 0)
                status, location, text = provider.answer(method, target, headers, body)
                more = f"Location: {location}\r\n" if location else ""
                writer.write(
                    f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n{more}"
                    f"Content-Length: {len(text)}\r\n\r\n{text}".encode()
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


def _single(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


if __name__ == "__main__":
    asyncio.run(_serve(Provider(int(sys.argv[1])), int(sys.argv[1])))
