"""An identity provider as the portal meets it: a token, bodies, and what is known of people afterwards."""

import json
from datetime import date
from typing import Any

from flask import Flask
from sqlalchemy import select

from portal.domain.access_tokens import TokenScope
from portal.domain.people.models import PersonName, Post
from portal.domain.people.positions import is_known_fact
from portal.domain.people.units import read_tree
from portal.features.scim.queries import parse_user_id
from portal.platform.audit import AuditEvent
from portal.platform.db import OPEN_END, db
from tests.factories.access_tokens import bearer, make_token

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SCIM_JSON = "application/scim+json"


class Provider:
    """Sends requests with a token of the scope scim, and checks what each is answered."""

    def __init__(self, app: Flask, token: str | None = None) -> None:
        self._client = app.test_client()
        self._headers = bearer(token or make_token(TokenScope.SCIM, name="entra"))

    def send(
        self, method: str, path: str, body: Any = None, *, status: int = 200, **headers: str
    ) -> dict[str, Any]:
        """The document of the answer; its headers are under ``headers``."""
        sent = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        data = body if isinstance(body, str | bytes | None) else json.dumps(body)
        response = self._client.open(
            f"/scim/v2{path}", method=method, data=data, content_type=SCIM_JSON, headers=sent
        )
        text = response.get_data(as_text=True)
        assert response.status_code == status, f"{response.status_code}: {text}"
        document: dict[str, Any] = json.loads(text) if text else {}
        return {**document, "headers": response.headers}

    def refused(self, method: str, path: str, body: Any = None, *, status: int = 400) -> tuple[str, str]:
        """The keyword and the sentence of a refusal."""
        document = self.send(method, path, body, status=status)
        assert document["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        assert document["status"] == str(status)
        assert document["headers"]["Content-Type"].startswith(SCIM_JSON)
        return document.get("scimType", ""), document["detail"]

    def add(self, number: str = "4711", **changes: Any) -> str:
        """The id of a new user."""
        return str(self.send("POST", "/Users", user(number, **changes), status=201)["id"])

    def patch(self, key: str, *operations: dict[str, Any], status: int = 200) -> dict[str, Any]:
        """A PATCH of a user."""
        return self.send(
            "PATCH", f"/Users/{key}", {"schemas": [PATCH], "Operations": list(operations)}, status=status
        )

    def find(self, filter_: str, kind: str = "Users") -> list[str]:
        """What a filter finds: userNames, or the names of groups."""
        answer = self._client.get(f"/scim/v2/{kind}", query_string={"filter": filter_}, headers=self._headers)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        resources = answer.get_json(force=True).get("Resources", [])
        return sorted(each.get("userName") or each["displayName"] for each in resources)


def user(number: str = "4711", **changes: Any) -> dict[str, Any]:
    """The body of a user; ``changes`` are its attributes, those of the extension too."""
    extension = {"employeeNumber": number, "department": "Westshire Police/Response"}
    core: dict[str, Any] = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": f"u{number}@westshire.example",
        "name": {"familyName": "Hale", "givenName": "Rowan"},
        "title": "Constable",
        "userType": "response",
        "active": True,
        "emails": [{"type": "work", "primary": True, "value": f"u{number}@westshire.example"}],
    }
    for name, value in changes.items():
        (extension if name in {"employeeNumber", "department", "manager"} else core)[name] = value
    return {**core, ENTERPRISE: extension}


PostRow = tuple[str, str, str, str, date, date | None]


def posts_of(number: str) -> list[PostRow]:
    """Known posts: rank, role, unit path on its first day, line manager's number, first and last day."""
    tree = read_tree()
    names = db.session.execute(select(PersonName.person_id, PersonName.staff_number))
    managers = {person_id: number for person_id, number in names}
    rows = db.session.scalars(
        select(Post)
        .join(PersonName, PersonName.person_id == Post.person_id)
        .where(PersonName.staff_number == number, is_known_fact(Post))
        .order_by(Post.valid_from, Post.post_key)
    )
    return [
        (
            row.rank_or_grade,
            row.designated_role,
            tree.path_on(row.unit_id, row.valid_from),
            managers.get(row.line_manager_id or 0, ""),
            row.valid_from,
            None if row.valid_to == OPEN_END else row.valid_to,
        )
        for row in rows
    ]


def person_of(key: str) -> int:
    """The person of a user's id."""
    person_id = parse_user_id(key)
    assert person_id is not None
    return person_id


def audited(action: str) -> list[AuditEvent]:
    """The audit events of an action, oldest first."""
    statement = select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id)
    return list(db.session.scalars(statement))
