"""Joiners, movers and leavers of a provider: through the check of a roster, then people and posts.

A user is one row of a roster, valid from today. What the check of a roster would refuse is refused, and
nothing is written. Every function is called under the stamp of its transaction, taken before it reads.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, func, select

from portal.domain.accounts import grants
from portal.domain.accounts import services as accounts
from portal.domain.directives.queries import read_named_values
from portal.domain.people import roster_store, services, units
from portal.domain.people.models import Identifier, PersonName, RoleGrant
from portal.domain.people.roster_plan import (
    KnownPost,
    PostChange,
    PostValues,
    RosterBaseline,
    RosterPlan,
    parse_rows_with_faults,
    plan_with_faults,
)
from portal.domain.people.services import PersonNames
from portal.domain.people.units import UnitTree, read_former_units
from portal.domain.people.visibility import is_granted_to
from portal.features.scim import queries
from portal.features.scim.errors import TakenError
from portal.features.scim.models import ScimGroup, ScimMember, ScimUser
from portal.features.scim.queries import EXTERNAL_ID, USER_NAME, UserRecord, UserValues
from portal.platform.audit import log
from portal.platform.clock import london_day
from portal.platform.db import OPEN_END, db
from portal.platform.errors import BadInputError, RuleError
from portal.platform.observability.logs import get_logger
from portal.platform.permissions import Role
from portal.platform.tables.table_files import SourceRow

# Changes to a provider's groups, and the role grants that follow from who is in them.
#
# An administrator gives a group its role. Each member then gets it as a grant of that administrator, by
# the same rules as on a person's page, and loses it with the membership. A role that somebody had already
# is not the group's to end.

LONGEST_NAME = 254  # characters
MOST_MEMBERS = 20_000


def create_group(
    name: str, external_id: str | None, members: Collection[int], at: datetime, token: str
) -> ScimGroup:
    """Add a group, which gives no role until an administrator says so.

    Raises:
        TakenError: Another group has the name or the externalId.
        BadInputError: A name is too long, or a member is no user.
    """
    _refuse_taken(None, name, external_id)
    group = ScimGroup(id=uuid4(), display_name=name, external_id=external_id, version=0, created_at=at)
    db.session.add(group)
    db.session.flush()
    log("scim.group_created", actor_id=None, token=token, group=str(group.id))
    set_members(group, add=members, at=at, token=token)
    return group


def rename_group(group: ScimGroup, name: str, external_id: str | None, token: str) -> None:
    """Set the group's name and externalId; its role and members stay.

    Raises:
        TakenError: Another group has the name or the externalId.
        BadInputError: A name is too long.
    """
    if (group.display_name, group.external_id) == (name, external_id):
        return
    _refuse_taken(group, name, external_id)
    group.display_name, group.external_id = name, external_id
    group.version += 1
    log("scim.group_changed", actor_id=None, token=token, group=str(group.id))


def _refuse_taken(group: ScimGroup | None, name: str, external_id: str | None) -> None:
    if max(len(name), len(external_id or "")) > LONGEST_NAME:
        raise BadInputError([f"displayName and externalId have at most {LONGEST_NAME} characters."])
    for attribute, column, value in (
        ("displayName", ScimGroup.display_name, name),
        ("externalId", ScimGroup.external_id, external_id),
    ):
        holder = db.session.scalar(select(ScimGroup.id).where(func.lower(column) == func.lower(value)))
        if holder is not None and (group is None or holder != group.id):
            raise TakenError(f"Another group already has the {attribute} {value}.")


def set_members(
    group: ScimGroup,
    *,
    add: Collection[int] = (),
    remove: Collection[int] = (),
    at: datetime,
    token: str,
) -> None:
    """Add and remove members; who is in the group already, or is not, changes nothing.

    Raises:
        RuleError: The group's role may not be given to one of them, or nobody would be left to administer.
    """
    current = set(db.session.scalars(select(ScimMember.person_id).where(ScimMember.group_id == group.id)))
    leavers, joiners = current.intersection(remove), set(add) - current
    if unknown := joiners - queries.list_user_person_ids(joiners):
        raise BadInputError([f"members: there is no user {queries.user_id(min(unknown))}."])
    if len(current) + len(joiners) - len(leavers) > MOST_MEMBERS:
        raise BadInputError([f"members: a group has at most {MOST_MEMBERS:,}."])
    _end_membership(group, leavers, at)
    for person_id in sorted(joiners):
        grant_id = _give_role(group, person_id, at)
        db.session.add(ScimMember(group_id=group.id, person_id=person_id, grant_id=grant_id))
    for action, people in (("scim.member_added", joiners), ("scim.member_removed", leavers)):
        for person_id in sorted(people):
            log(action, actor_id=None, subject_id=person_id, token=token, group=str(group.id))
    group.version += bool(joiners or leavers)
    db.session.flush()


def remove_group(group: ScimGroup, at: datetime, token: str) -> None:
    """Delete a group; its members lose the role that it gave them.

    Raises:
        RuleError: Nobody would be left to administer.
    """
    members = db.session.scalars(select(ScimMember.person_id).where(ScimMember.group_id == group.id))
    _end_membership(group, list(members), at)
    log("scim.group_removed", actor_id=None, token=token, group=str(group.id), role=group.role)
    db.session.delete(group)
    db.session.flush()


def leave_all_groups(person_id: int, at: datetime) -> None:
    """Take a leaver out of every group, also the last administrator: as a roster, it lets anybody go."""
    statement = select(ScimGroup).join(ScimMember).where(ScimMember.person_id == person_id)
    for group in db.session.scalars(statement.order_by(ScimGroup.id).with_for_update(of=ScimGroup)).all():
        _end_membership(group, [person_id], at, is_leaver=True)
        group.version += 1


def map_group(group: ScimGroup, role: Role | None, unit_id: int | None, *, by: int, at: datetime) -> None:
    """Give a group another role, or none: its members lose the one before and get the new one.

    Raises:
        RuleError: The role may not be given to one of the members, or has no effect on a unit.
    """
    if role is not None:
        grants.refuse_force_role_on_unit(role, unit_id)
    if (group.role, group.unit_id) == (role, unit_id):
        return
    members = list(db.session.scalars(select(ScimMember).where(ScimMember.group_id == group.id)))
    given = [member.grant_id for member in members if member.grant_id is not None]
    for member in members:
        member.grant_id = None
    before = group.role
    group.role, group.unit_id = role, unit_id
    group.mapped_by_id, group.mapped_at = (by, at) if role else (None, None)
    for member in sorted(members, key=lambda member: member.person_id):
        member.grant_id = _give_role(group, member.person_id, at)
    grants.end_grants_and_sessions(given, by=by, at=at)
    _refuse_no_administrator(before, at)
    log("scim.group_mapped", actor_id=by, group=str(group.id), role=role, unit_id=unit_id, before=before)


def _give_role(group: ScimGroup, person_id: int, at: datetime) -> int | None:
    """Grant the group's role; the new grant, or None if there is none to make."""
    if group.role is None:
        return None
    role = Role(group.role)
    if not grants.grant_role(person_id, role, unit_id=group.unit_id, by=group.mapped_by_id, at=at):
        return None
    db.session.flush()
    return db.session.scalar(
        select(RoleGrant.id)
        .where(
            is_granted_to(person_id, london_day(at)),
            RoleGrant.role == str(role),
            RoleGrant.unit_id.is_not_distinct_from(group.unit_id),
        )
        .order_by(RoleGrant.id.desc())
    )


def _end_membership(
    group: ScimGroup, person_ids: Iterable[int], at: datetime, *, is_leaver: bool = False
) -> None:
    """Remove members; a grant that another group of theirs gives too passes to that group."""
    members = [db.session.get_one(ScimMember, (group.id, person_id)) for person_id in sorted(person_ids)]
    ended = []
    for member in members:
        heir = _find_heir(group, member.person_id) if member.grant_id is not None else None
        if heir is not None:
            heir.grant_id = member.grant_id
        elif member.grant_id is not None:
            ended.append(member.grant_id)
        db.session.delete(member)
    db.session.flush()
    if ended and group.mapped_by_id is not None:
        grants.end_grants_and_sessions(ended, by=group.mapped_by_id, at=at)
        if not is_leaver:
            _refuse_no_administrator(group.role, at)


def _find_heir(group: ScimGroup, person_id: int) -> ScimMember | None:
    """Another membership of the person that gives the same role in the same place."""
    return db.session.scalar(
        select(ScimMember)
        .join(ScimGroup)
        .where(
            ScimMember.person_id == person_id,
            ScimGroup.id != group.id,
            ScimGroup.role == group.role,
            ScimGroup.unit_id.is_not_distinct_from(group.unit_id),
        )
        .limit(1)
    )


def _refuse_no_administrator(role: str | None, at: datetime) -> None:
    """Refuse to end the last administrator's role, which a provider may do as little as a person."""
    if role == Role.ADMINISTRATOR:
        grants.refuse_no_administrator(at)


_log = get_logger("portal.scim")
LEFT = "left"  # why the sessions of a leaver ended
LONGEST_IDENTIFIER = 254  # characters
ATTRIBUTES = {
    "staff_number": "employeeNumber",
    "surname": "name.familyName",
    "forenames": "name.givenName",
    "email": "emails",
    "rank_or_grade": "title",
    "designated_role": "userType",
    "unit_path": "department",
    "line_manager_staff_number": "manager",
}
_COLUMN = re.compile(rf"\b({'|'.join(ATTRIBUTES)})\b")


@dataclass(frozen=True, slots=True)
class ProviderChange:
    """Under which stamp a provider's change is made, when by the clock, and with which access token."""

    stamp: datetime
    at: datetime
    token: str  # its name


def create_user(values: UserValues, act: ProviderChange) -> int:
    """Add a user: a new person, or one of the roster whom the provider never sent or has deleted since.

    Returns:
        The person.

    Raises:
        TakenError: Another user has the userName, externalId or staff number.
        BadInputError: The check of a roster refuses it.
    """
    person_id = _find_by_staff_number(values.staff_number)
    known = None if person_id is None else db.session.get(ScimUser, person_id)
    if known is not None and known.confirmed_at is not None and known.removed_at is None:
        raise TakenError(f"Another user already has the employeeNumber {values.staff_number}.")
    _refuse_taken_name(values, person_id, act)
    person_id = _write_person(values, person_id, act)
    _get_or_create_row(person_id).confirmed_at = act.at
    _write_identifiers(person_id, values)
    log("scim.user_created", actor_id=None, subject_id=person_id, token=act.token, active=values.active)
    return person_id


def change_user(
    user: UserRecord, values: UserValues, act: ProviderChange, *, confirms_number: bool = False
) -> None:
    """Change a user; values that are the same change nothing, and are not recorded.

    Args:
        user: As the user is now.
        values: As the user is to be.
        act: The provider's act.
        confirms_number: Whether the provider itself says that the person has the staff number of now.

    Raises:
        TakenError: Another user has the userName, externalId or staff number.
        RuleError: The staff number is another, and the provider never sent the one before.
        BadInputError: The check of a roster refuses it.
    """
    parts = [name for name, value in asdict(values).items() if value != asdict(user.values)[name]]
    if confirms_number and not user.is_confirmed:
        _get_or_create_row(user.person_id).confirmed_at = act.at
    if not parts:
        return
    if parts == ["active"] and not values.active:
        _let_go(user, act, waiting=values)
    else:
        _refuse_taken_name(values, user.person_id, act)
        if "staff_number" in parts:
            _correct_staff_number(user, values.staff_number, act)
        _write_person(values, user.person_id, act)
        _write_identifiers(user.person_id, values)
    log("scim.user_changed", actor_id=None, subject_id=user.person_id, token=act.token, parts=parts)


def remove_user(user: UserRecord, act: ProviderChange) -> None:
    """Delete a user: a leaver whose facts stay, and who is in no group."""
    row = _let_go(user, act, waiting=None)
    row.removed_at = act.at
    leave_all_groups(user.person_id, act.at)
    _delete_identifiers(user.person_id, USER_NAME, EXTERNAL_ID)
    log("scim.user_removed", actor_id=None, subject_id=user.person_id, token=act.token)


def _let_go(user: UserRecord, act: ProviderChange, *, waiting: UserValues | None) -> ScimUser:
    """End posts and sessions, whatever a roster's check would say of the rest; returns the user's row."""
    plan, number = RosterPlan(), user.values.staff_number
    _end_posts(plan, number, roster_store.read_baseline_of([number], None))
    roster_store.write_facts(plan, act.stamp, by=None)
    row = _get_or_create_row(user.person_id)
    row.removed_at = None
    _set_waiting(row, waiting)
    accounts.end_sessions(user.person_id, LEFT, None, act.at)
    return row


def _find_by_staff_number(number: str) -> int | None:
    return db.session.scalar(select(PersonName.person_id).where(PersonName.staff_number == number))


def _refuse_taken_name(values: UserValues, person_id: int | None, act: ProviderChange) -> None:
    """Refuse a userName or externalId that is not fit, or that another user has."""
    for attribute, value in (("userName", values.user_name), ("externalId", values.external_id or "")):
        if len(value) > LONGEST_IDENTIFIER:
            raise BadInputError([f"{attribute} has more than {LONGEST_IDENTIFIER} characters."])
    holder = queries.find_user_named(values.user_name, london_day(act.at))
    if holder is not None and holder != person_id:
        raise TakenError(f"Another user already has the userName {values.user_name}.")
    if values.external_id is None:
        return
    holder = db.session.scalar(
        select(Identifier.person_id).where(
            Identifier.scheme == EXTERNAL_ID, Identifier.value == values.external_id
        )
    )
    if holder is not None and holder != person_id:
        raise TakenError(f"Another user already has the externalId {values.external_id}.")


def _correct_staff_number(user: UserRecord, number: str, act: ProviderChange) -> None:
    """Correct a staff number: the person, their posts and their passes stay the same."""
    if not user.is_confirmed:
        raise RuleError(
            f"This person is in the portal with the staff number {user.values.staff_number}. "
            "Match people by employeeNumber first: another number is perhaps another person."
        )
    holder = db.session.scalar(
        select(PersonName.person_id).where(
            func.lower(PersonName.staff_number) == func.lower(number),
            PersonName.person_id != user.person_id,
        )
    )
    if holder is not None:
        raise TakenError(f"Another user already has the employeeNumber {number}.")
    _refuse_faults(parse_rows_with_faults([_source_row(replace(user.values, staff_number=number), act)])[1])
    names = services.list_names_of([user.person_id])[0]
    services.correct_many_names([replace(names, staff_number=number)], by=None, at=act.at)


def _write_person(values: UserValues, person_id: int | None, act: ProviderChange) -> int:
    """Write names, posts and what waits, end a leaver's sessions; returns the person."""
    manager = _manager_number(values)
    email = values.email.lower() if values.email else None
    numbers = [number for number in (values.staff_number, manager) if number]
    baseline = roster_store.read_baseline_of(numbers, email)
    current = _current_post(values.staff_number, baseline)
    source = _source_row(values, act, current, manager, baseline.tree)
    rows, faults = parse_rows_with_faults([source])
    _refuse_faults(faults)
    plan, faults = plan_with_faults(rows, baseline)
    _refuse_faults(faults)
    if not values.active or _is_same_post(plan, current, baseline.today):
        plan = RosterPlan(new_people=plan.new_people, renamed_people=plan.renamed_people)
    if not values.active:
        _end_posts(plan, values.staff_number, baseline)
    written = roster_store.write_facts(plan, act.stamp, by=None)
    person_id = written.people[values.staff_number] if person_id is None else person_id
    row = _get_or_create_row(person_id)
    row.removed_at = None
    _set_waiting(row, None if values.active else values)
    if current is not None and not values.active:
        accounts.end_sessions(person_id, LEFT, None, act.at)
    _log_unknown_values(plan, person_id, act)
    return person_id


def _log_unknown_values(plan: RosterPlan, person_id: int, act: ProviderChange) -> None:
    """Say in the log and in the audit trail what nobody was asked about: a role or a unit that is new.

    A role that no directive names stands at the desk of administrators for as long as somebody has it.
    """
    role = next((change.values.designated_role for change in plan.post_changes if not change.void), "")
    named = read_named_values(london_day(act.at)) if role else None
    if named is not None and named.is_any and role not in named.roles:
        log("scim.role_not_named", actor_id=None, subject_id=person_id, token=act.token, role=role)
        _log.warning("scim.role_not_named", role=role, token=act.token)
    for unit in plan.unit_plan.new_units:
        path = units.join(unit.names)
        log("scim.unit_created", actor_id=None, subject_id=person_id, token=act.token, unit=path)
        _log.warning("scim.unit_created", unit=path, token=act.token)


def _manager_number(values: UserValues) -> str:
    """The line manager's staff number; empty if there is none."""
    if values.manager_id is None:
        return ""
    names: list[PersonNames] = services.list_names_of([values.manager_id])
    if not names:
        raise BadInputError(["manager is nobody in the portal."])
    return names[0].staff_number


def _current_post(number: str, baseline: RosterBaseline) -> KnownPost | None:
    """The main post of today."""
    posts = [
        post
        for (holder, _), known in baseline.posts.items()
        for post in known
        if holder == number and post.values.valid_from <= baseline.today <= post.values.valid_to
    ]
    return min(posts, key=lambda post: post.values.post_key, default=None)


def _source_row(
    values: UserValues,
    act: ProviderChange,
    current: KnownPost | None = None,
    manager: str = "",
    tree: UnitTree | None = None,
) -> SourceRow:
    """The user as a row of a roster from today; a post that is to end keeps its last day."""
    today = london_day(act.at)
    last_day = current.values.valid_to if current else OPEN_END
    row = {
        "staff_number": values.staff_number,
        "surname": values.surname,
        "forenames": values.forenames,
        "email": values.email or "",
        "rank_or_grade": values.rank_or_grade,
        "designated_role": values.designated_role,
        "unit_path": _path_today(values.unit_path, tree, act) if tree else values.unit_path,
        "line_manager_staff_number": manager,
        "valid_from": today.isoformat(),
        "valid_to": "" if last_day == OPEN_END else last_day.isoformat(),
        "post_key": current.values.post_key if current else "",
        "withdraw": "",
    }
    return SourceRow(1, {name: value.strip() for name, value in row.items()})


def _path_today(path: str, tree: UnitTree, act: ProviderChange) -> str:
    """The path; of a unit that was renamed or moved since, the one of today."""
    today = london_day(act.at)
    try:
        names = units.split(path.strip())
    except RuleError:  # the check says what is wrong with it
        return path
    if tree.find_unit(names, today) is not None:
        return path
    live = [unit_id for unit_id in tree.unit_ids() if tree.state_on(unit_id, today)]
    unit_id = read_former_units().find_unit(names, live)
    return path if unit_id is None else tree.path_on(unit_id, today)


def _refuse_faults(faults: list[str]) -> None:
    """Refuse what the check of a roster refuses, in its words and with the provider's names."""
    if faults:
        raise BadInputError(
            [_COLUMN.sub(lambda m: ATTRIBUTES[m[1]], fault.removeprefix("Line 1: "), 1) for fault in faults]
        )


def _is_same_post(plan: RosterPlan, current: KnownPost | None, today: date) -> bool:
    """Whether the row of today says what the post of today says, so that there is nothing to record."""
    if current is None:
        return False
    row = next((c.values for c in plan.post_changes if c.values.valid_from == today), current.values)
    return _terms(row) == _terms(current.values)


def _terms(values: PostValues) -> tuple[object, ...]:
    """What a provider can say of a post; a line manager who was erased counts as none."""
    manager = values.manager
    known_manager = None if manager is None or manager.startswith(roster_store.ERASED_PREFIX) else manager
    return values.rank_or_grade, values.designated_role, values.unit, known_manager


def _end_posts(plan: RosterPlan, number: str, baseline: RosterBaseline) -> None:
    """Plan that the person has no post from today on, of whatever key; posts yet to begin are withdrawn.

    Someone without a post today is no leaver: what the roster says of later days stays.
    """
    if _current_post(number, baseline) is None:
        return
    yesterday = baseline.today - timedelta(days=1)
    for (holder, _), known in baseline.posts.items():
        for post in known if holder == number else ():
            if post.values.valid_from >= baseline.today:
                plan.post_changes.append(PostChange(post.values, post.id, void=True))
            elif post.values.valid_to >= baseline.today:
                plan.post_changes.append(PostChange(post.values._replace(valid_to=yesterday), post.id))


def _get_or_create_row(person_id: int) -> ScimUser:
    row = db.session.get(ScimUser, person_id)
    if row is None:
        row = ScimUser(person_id=person_id)
        db.session.add(row)
    return row


def _set_waiting(row: ScimUser, values: UserValues | None) -> None:
    """Keep what the provider says of an inactive user until it makes them active."""
    row.rank_or_grade = values.rank_or_grade if values else None
    row.designated_role = values.designated_role if values else None
    row.unit_path = values.unit_path if values else None
    row.line_manager_id = values.manager_id if values else None


def _write_identifiers(person_id: int, values: UserValues) -> None:
    """Keep userName and externalId as numbers of other systems, by which a sign-in can find the person."""
    for scheme, value in ((USER_NAME, values.user_name), (EXTERNAL_ID, values.external_id)):
        held = db.session.scalar(
            select(Identifier).where(Identifier.person_id == person_id, Identifier.scheme == scheme)
        )
        if value is None:
            _delete_identifiers(person_id, scheme)
        elif held is None:
            db.session.add(Identifier(person_id=person_id, scheme=scheme, value=value))
        else:
            held.value = value


def _delete_identifiers(person_id: int, *schemes: str) -> None:
    db.session.execute(
        delete(Identifier).where(Identifier.person_id == person_id, Identifier.scheme.in_(schemes))
    )
