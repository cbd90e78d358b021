"""The manifest of returns."""

from portal.feature import (
    ActText,
    DemoStep,
    Feature,
    MenuItem,
    PermissionGrant,
    Setting,
    SettingSection,
)
from portal.platform.permissions import Permission, Role

VIEW = Permission("returns:return:view")
MANAGE = Permission("returns:return:manage")  # make, load, register forces and their keys

_RETURNS = "returns"  # the group of acts on returns of forces

FEATURE = Feature(
    name="returns",
    title="Returns: what a force tells the coordinating unit each month",
    blueprints=("views:bp", "commands:bp"),
    models="models",
    permissions={
        VIEW: PermissionGrant(
            frozenset({Role.DIRECTIVE_OWNER, Role.AUDITOR, Role.ADMINISTRATOR}), whole_force=True
        ),
        MANAGE: PermissionGrant(frozenset({Role.DIRECTIVE_OWNER, Role.ADMINISTRATOR}), whole_force=True),
    },
    navigation=(
        MenuItem(
            "Monitoring",
            "Dip samples",
            "Returns",
            "/returns",
            VIEW,
            "What the force tells the coordinating unit each month",
        ),
    ),
    acts={
        "return.made": ActText(_RETURNS, "Made return {number} of {period}"),
        "return.downloaded": ActText(_RETURNS, "Downloaded return {number} of {period}"),
        "return.taken_out": ActText(_RETURNS, "Downloaded return {number} of {period} from {force}"),
        "return.received": ActText(_RETURNS, "Received return {number} of {period} from {force}"),
        "return.refused": ActText(
            _RETURNS, "Refused a return[ of {force}][, number {number}][ of {period}]: {checks}"
        ),
        "return.asked": ActText(_RETURNS, "Asked forces for a return of {period} by {due_on}"),
        "return.compared": ActText(_RETURNS, "Took the comparison of {period}"),
        "national_view.exported": ActText(_RETURNS, "Downloaded the national view as at {as_at} ({format})"),
        "comparison.written": ActText(_RETURNS, "Wrote the comparison of {period}"),
        "force.registered": ActText(_RETURNS, "Registered the force {force}"),
        "force.restated": ActText(_RETURNS, "Stated the name and size of the force {force}"),
        "force.key_added": ActText(
            _RETURNS, "Registered a key of the force {force}: {fingerprint}", gives_access=True
        ),
        "force.key_ended": ActText(
            _RETURNS, "Ended a key of the force {force}: {fingerprint}", gives_access=True
        ),
    },
    kept_forms={
        "returns.end_force_key": "end a key of {key}",
        "returns.make_return": "make a return",
        "returns.register_key": "record a key of {key}",
    },
    personal_data="personal_data:TABLES",
    not_personal={
        "coordinated_force": "forces by their keys",
        "return_figure": "numbers of people of a force",
    },
    setting_sections=(
        SettingSection(
            "Mail",
            "Returns",
            "What a force tells the unit that coordinates all of them ([returns](../returns.md)).",
            (
                Setting(
                    "",
                    "RETURN_KEY_FILE",
                    "path of the private key that signs returns, for the portal’s user alone; "
                    "`flask returns keys make` writes one",
                    "no return can be made; in the demo, `return-key.pem` in `INSTANCE_DIR`",
                    "`/etc/portal/return-key.pem`",
                ),
                Setting(
                    "",
                    "RETURN_FORCE",
                    "the force’s short name at the coordinating unit",
                    "made of `FORCE_NAME`, such as `westshire-police`",
                    "`westshire`",
                ),
                Setting(
                    "",
                    "COORDINATOR_KEY",
                    "public key of the coordinating unit, by which its comparisons are checked",
                    "no comparison is taken",
                    "44 characters that the unit gives",
                ),
                Setting(
                    "",
                    "COORDINATOR",
                    "`on`: this portal receives the returns of all forces, and has the pages for it",
                    "off; on in the demo",
                    "`on`",
                ),
            ),
        ),
    ),
    set_up=("commands:examine_key",),
    demo=(DemoStep("history", "returns", "evidence", "demo:schedule_all"),),
)
