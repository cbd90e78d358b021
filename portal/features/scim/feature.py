"""The manifest of provisioning by SCIM."""

from portal.feature import ActText, ErrorForm, Feature, Part
from portal.platform.permissions import Permission

_SYSTEMS = "systems"  # the group of acts of other systems

FEATURE = Feature(
    name="scim",
    title="SCIM: the identity provider brings people, posts and groups",
    blueprints=("views:bp", "group_views:bp"),
    models="models",
    parts=(Part("grants.links", "group_views:link_from_grants", Permission.ACCOUNT_ADMINISTER),),
    error_forms=(ErrorForm("/scim/", "errors:status_and_type_of", "errors:answer"),),
    acts={
        "scim.user_created": ActText(_SYSTEMS, "Added them as a user of the identity provider"),
        "scim.user_changed": ActText(_SYSTEMS, "Changed what the identity provider says of them[: {parts}]"),
        "scim.role_not_named": ActText(_SYSTEMS, "Gave them the role “{role}”, which no directive names"),
        "scim.unit_created": ActText(_SYSTEMS, "Created the unit {unit} for them"),
        "scim.user_removed": ActText(
            _SYSTEMS, "Removed them as a user of the identity provider", gives_access=True
        ),
        "scim.member_added": ActText(
            _SYSTEMS, "Added them to a group of the identity provider", gives_access=True
        ),
        "scim.member_removed": ActText(
            _SYSTEMS, "Took them out of a group of the identity provider", gives_access=True
        ),
        "scim.group_created": ActText(_SYSTEMS, "Added a group of the identity provider", gives_access=True),
        "scim.group_changed": ActText(
            _SYSTEMS, "Changed a group of the identity provider", gives_access=True
        ),
        "scim.group_removed": ActText(
            _SYSTEMS, "Removed a group of the identity provider", gives_access=True
        ),
        "scim.group_mapped": ActText(
            _SYSTEMS, "Chose the role of a provider's group[: {role}]", gives_access=True
        ),
    },
    kept_forms={"scim_groups.map_group": "choose the roles of a group"},
    personal_data="personal_data:TABLES",
    references="personal_data:REFERENCES",
)
