"""Calls the API as another system does: with a token, and without cookies."""

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from portal.domain.access_tokens import TokenScope
from tests.factories.access_tokens import bearer, make_token
from tests.page_reading import PortalClient

ROOT = "/api/v1"
COMPLETIONS = "/directives/OIC-2026/completions"


class System:
    """Another system with a token of its own."""

    def __init__(self, app: Flask, plain: str) -> None:
        self.client, self.plain = PortalClient(app), plain

    def ask(self, path: str, method: str = "GET", **request: Any) -> TestResponse:
        """The response to a request for a path below ``/api/v1``, or for a whole address."""
        address = path if path.startswith(("http", "/api/")) else f"{ROOT}{path}"
        headers = {**bearer(self.plain), **request.pop("headers", {})}
        return self.client.open(address, method=method, headers=headers, **request)

    def read(self, path: str, status: int = 200) -> Any:
        """The JSON of a response with this status."""
        response = self.ask(path)
        assert response.status_code == status, f"{path}: {response.status_code} {response.text[:300]}"
        return response.get_json()

    def read_all(self, path: str) -> list[Any]:
        """The entries of all pages."""
        items: list[Any] = []
        address: str | None = path
        while address:
            page = self.read(address)
            items += page["items"]
            address = page["next"]
        return items

    def send(self, path: str, text: str, media_type: str = "text/csv") -> TestResponse:
        """The response to a file."""
        return self.ask(path, "POST", data=text.encode(), headers={"Content-Type": media_type})


def system(app: Flask, scope: TokenScope = TokenScope.READ, **limits: Any) -> System:
    """A system with a new token."""
    return System(app, make_token(scope, name=f"token-{len(limits)}-{scope}", **limits))
