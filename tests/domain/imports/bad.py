"""A roster with every kind of bad row, and the correction of each."""

from tests.domain.imports.rosters import row

GOOD = row("G1")
BAD = [  # the bad row, why it is refused, its correction
    (row("", email=""), "staff_number is empty.", {"staff_number": "B1"}),
    (row("B2", surname=""), "surname is empty.", {"surname": "Hale"}),
    (
        row("B3", valid_from="1 May 26"),
        "valid_from '1 May 26' is not a date.",
        {"valid_from": "2026-05-01"},
    ),
    (row("B4", valid_to="2024-12-31"), "lies before valid_from 2025-01-01.", {"valid_to": ""}),
    (row("B5", email="hale"), "email 'hale' is not an email address.", {"email": ""}),
    (row("B6", email="g1@westshire.example"), "is that of G1 too.", {"email": ""}),
    (
        row("B7", line_manager_staff_number="Z9"),
        "'Z9' is nobody's staff number",
        {"line_manager_staff_number": "G1"},
    ),
    (
        row("G1", rank_or_grade="Sergeant"),
        "G1 has a post from 2025-01-01 on line 2 already.",
        {"post_key": "acting"},
    ),
    (
        row("G1", valid_from="2026-01-01", surname="Hale"),
        "surname differs from that on line 2",
        {"surname": "Shah"},
    ),
    (row("B9", withdraw="perhaps"), "withdraw is 'perhaps'.", {"withdraw": ""}),
    (row("G1", valid_from="2020-01-01", withdraw="yes"), "has no post from 2020-01-01 to withdraw.", None),
    (
        row("B11", unit_path="Westshire Police//"),
        "has an empty name",
        {"unit_path": "Westshire Police/Crime"},
    ),
    (row("B12", forenames="A" * 2_001), "forenames is longer than 2,000 characters.", {"forenames": "Ada"}),
]


def bad_roster():
    """The good row, and one of each bad kind."""
    return [GOOD, *(bad for bad, _, _ in BAD)]


def corrected_roster():
    """The same roster, corrected; rows that cannot be corrected are left out."""
    return [GOOD, *({**bad, **correction} for bad, _, correction in BAD if correction is not None)]
