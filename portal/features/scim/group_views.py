"""Pages of the provider's groups: which role each gives its members, and on which unit."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms.fields import SelectChoice

from portal.domain.accounts import grants
from portal.domain.accounts.grants import role_words, where_words
from portal.features.scim import queries, services
from portal.features.scim.queries import MappedGroup
from portal.pages.layout.access import requires
from portal.pages.layout.fields import button, drop_down
from portal.pages.layout.forms import PortalForm
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ForbiddenError, NotFoundError, RuleError
from portal.platform.permissions import Permission, Role
from portal.platform.wording import plural

bp = Blueprint("scim_groups", __name__, template_folder="templates")


class GroupRoleForm(PortalForm):
    """The role that a group gives its members."""

    role = drop_down(
        "Role",
        choices=[
            SelectChoice(value="", label="No role"),
            *(SelectChoice(value=role.value, label=role_words(role)) for role in Role),
        ],
    )
    unit = drop_down("Unit")
    send = button("Save")


@bp.get("/grants/groups")
@requires(Permission.ACCOUNT_ADMINISTER)
def show_groups() -> ResponseReturnValue:
    """Show the provider's groups and the roles that they give."""
    arguments = QueryArguments(request.args, request.path)
    groups = queries.list_mapped_groups(clock.today())
    page = arguments.page(len(groups))
    return render_template(
        "scim/groups.html",
        page=page,
        groups=[(group, _role_words(group)) for group in groups[page.offset : page.offset + page.size]],
        errors=arguments.errors(),
        may_map=grants.administered_units(current_user.viewer) is None,
        summary=plural(len(groups), "group"),
    ), arguments.status


def _role_words(group: MappedGroup) -> str:
    if group.role is None:
        return "No role"
    return f"{role_words(group.role)}, {where_words(group.role, group.unit_label)}"


@bp.route("/grants/groups/<uuid:group_id>", methods=["GET", "POST"])
@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def map_group(group_id: UUID) -> ResponseReturnValue:
    """Choose the role that a group gives; its members have it from the next sign-in."""
    group = _get_group(group_id)
    if grants.administered_units(current_user.viewer) is not None:
        raise ForbiddenError("Only an administrator of the whole force says which role a group gives.")
    form = GroupRoleForm(data={"role": group.role or "", "unit": str(group.unit_id or "")})
    form.unit.choices = [
        SelectChoice(value="", label="No unit: the whole force; for a manager, direct reports"),
        *(
            SelectChoice(value=str(unit_id), label=path)
            for unit_id, path in grants.grantable_units(current_user.viewer)
        ),
    ]
    if form.validate_on_submit() and _save(group, form):
        flash(f"The role of the group {group.name} is saved.", "success")
        return redirect(url_for("scim_groups.show_groups"), 303)
    return render_template("scim/map_group.html", group=group, form=form), 400 if form.errors else 200


def _get_group(group_id: UUID) -> MappedGroup:
    for group in queries.list_mapped_groups(clock.today()):
        if group.id == group_id:
            return group
    raise NotFoundError("There is no such group.")


def _save(group: MappedGroup, form: GroupRoleForm) -> bool:
    """Save the form; a refusal is shown beside the field that it is about."""
    role = Role(form.role.data) if form.role.data else None
    unit_id = int(form.unit.data) if form.unit.data and role else None
    try:
        with transaction():
            row = queries.get_group(str(group.id), lock=True)
            services.map_group(row, role, unit_id, by=current_user.person_id, at=clock.now())
    except RuleError as error:
        (form.unit if unit_id else form.role).errors = [str(error)]
        return False
    return True


def link_from_grants() -> tuple[str, str] | None:
    """The address and the text of the link from the pages of grants; None on the page itself."""
    if request.endpoint == "scim_groups.show_groups":
        return None
    return url_for("scim_groups.show_groups"), "Groups of the identity provider"
