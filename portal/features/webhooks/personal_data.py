"""Marks of the table that holds messages about people."""

from portal.domain.subject_access.register.marks import SYSTEMS, PersonalTable, View

TABLES = (
    (
        "scim_group",
        PersonalTable(
            "webhook_delivery",
            SYSTEMS,
            "delivered",
            (View("Messages about you to other systems of the force", "person_id"),),
            {
                "type": "What about",
                "happened_at": "Happened",
                "data": "What was sent",
                "state": "State",
                "created_at": "Written",
                "ended_at": "Delivered or given up",
            },
            people={"person_id": "you"},
            by_others="data",
            technical="id webhook_id event_id due_at expires_at tries claim claimed_at outcome",
        ),
    ),
)
