"""Marks of the table that holds counts of documents."""

from portal.domain.subject_access.register.marks import WORK, PersonalTable, View
from portal.domain.subject_access.register.people import FACT

TABLES = (
    (
        "plan_version",
        PersonalTable(
            "dip_sample",
            WORK,
            "record",
            (View("Dip samples that you recorded", "recorded_by_id"),),
            {
                "unit_id": "Unit",
                "month": "Month",
                "void": "Taken back by a correction",
                "recorded_at": "Recorded",
            },
            people={"recorded_by_id": "who recorded it"},
            technical=f"{FACT} guide_version_id reported submitted on_time sampled complete graded returned"
            " reason",
        ),
    ),
)
