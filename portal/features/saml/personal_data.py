"""Marks of the table of assertions that were accepted."""

from portal.domain.subject_access.register.marks import SIGN_IN, UNSAFE, PersonalTable, View

TABLES = (
    (
        "refused_identity",
        PersonalTable(
            "received_assertion",
            SIGN_IN,
            "minutes",
            (View("Sign-ins with a force account that are under way", "@subject"),),
            {
                "subject": "Its id for you",
                "claim_value": "The number it gave",
                "signed_in_at": "Signed in there",
                "received_at": "Received",
                "expires_at": "Ends",
            },
            withheld={"token_hash": UNSAFE},
            technical="assertion_hash request_id",
        ),
    ),
)
