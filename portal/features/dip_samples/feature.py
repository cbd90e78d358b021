"""The manifest of dip samples."""

from portal.feature import ActText, DemoStep, Feature, MenuItem, PermissionGrant
from portal.platform.permissions import Permission, Role

VIEW = Permission("dip-samples:sample:view")  # of the units that one sees
RECORD = Permission("dip-samples:sample:record")

_EVENTS = "events"  # the group of acts on events and exercises

FEATURE = Feature(
    name="dip_samples",
    title="Dip samples: intelligence documents, counted by unit and month",
    blueprints=("views:bp", "commands:bp"),
    models="models",
    permissions={
        VIEW: PermissionGrant(
            frozenset({Role.MANAGER, Role.DIRECTIVE_OWNER, Role.AUDITOR, Role.ADMINISTRATOR})
        ),
        RECORD: PermissionGrant(frozenset({Role.MANAGER})),
    },
    navigation=(
        MenuItem(
            "Monitoring",
            "Attendance",
            "Dip samples",
            "/dip-samples",
            VIEW,
            "Intelligence documents, counted by unit",
        ),
    ),
    acts={
        "dip_sample.recorded": ActText(_EVENTS, "Recorded a dip sample[ of {unit}][, {month}]"),
        "dip_sample.corrected": ActText(_EVENTS, "Corrected a dip sample[ of {unit}][, {month}]"),
        "dip_samples.imported": ActText(
            _EVENTS, "Imported dip samples: {recorded} recorded[, {corrected} corrected]"
        ),
        "dip_sample.withdrawn": ActText(_EVENTS, "Withdrew a dip sample[ of {unit}][, {month}]"),
    },
    personal_data="personal_data:TABLES",
    file_formats="services:FORMATS",
    demo=(DemoStep("history", "dip samples", "evidence", "demo:schedule_samples"),),
)
