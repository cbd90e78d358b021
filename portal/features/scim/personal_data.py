"""Marks of the tables of the provider's users and groups, and how a group is said."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from portal.domain.subject_access.register.marks import SYSTEMS, PersonalTable, View
from portal.features.scim.models import ScimGroup

TABLES = (
    (
        "role_grant",
        PersonalTable(
            "scim_user",
            SYSTEMS,
            "current",
            (
                View("What the force’s identity provider says of you", "person_id"),
                View(
                    "People whose line manager you are, as the provider says",
                    "line_manager_id",
                    "confirmed_at",
                ),
            ),
            {
                "confirmed_at": "Matched with the roster",
                "removed_at": "Removed by the provider",
                "rank_or_grade": "Rank or grade",
                "designated_role": "Designated role",
                "unit_path": "Unit",
            },
            people={"person_id": "you", "line_manager_id": "your line manager"},
        ),
    ),
    (
        "scim_user",
        PersonalTable(
            "scim_member",
            SYSTEMS,
            "current",
            (View("Groups of the provider that you are in", "person_id"),),
            {"group_id": "Group"},
            people={"person_id": "you"},
            technical="grant_id",
        ),
    ),
    (
        "scim_member",
        PersonalTable(
            "scim_group",
            SYSTEMS,
            "record",
            (View("Groups to which you gave a role", "mapped_by_id", "display_name mapped_at"),),
            {"display_name": "Group", "mapped_at": "Given"},
            people={"mapped_by_id": "an administrator"},
            technical="id external_id version created_at role unit_id",
        ),
    ),
)
REFERENCES: dict[str, tuple[Any, Callable[..., str]]] = {
    "scim_group": (select(ScimGroup.id, ScimGroup.display_name), str),
}
