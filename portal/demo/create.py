"""Writing the fictional force as facts, day by day, each with the stamp it would have had."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import click
from flask import Blueprint, current_app
from flask_migrate import upgrade
from sqlalchemy import select

from config import ROOT, Config, current_settings
from portal.demo import force as demo_force
from portal.demo import (
    history,
)
from portal.demo.force import DAYS, DUE, PlannedPerson, PlannedPost, plan_people, unit_paths
from portal.demo.history import DemoHistory
from portal.domain.accounts import services as accounts
from portal.domain.catalogue import services as catalogue
from portal.domain.directives import services as directives
from portal.domain.directives.models import Directive, Exclusion
from portal.domain.people.models import Person, PersonName, Post, RoleGrant, Unit, UnitState
from portal.feature import insert_after
from portal.platform import clock
from portal.platform.db import OPEN_END, db, stamp, touch, transaction
from portal.platform.errors import PortalError, RuleError
from portal.platform.permissions import Role
from portal.platform.wording import plural

Act = Callable[[], None]
Step = tuple[str, Callable[["DemoForce"], Any]]  # with its name
ROLES = ("response", "contact", "investigation", "custody", "neighbourhood", "roads policing")


@dataclass
class DemoForce:
    """Ids by the words the plan uses, and what is still to happen on which day."""

    today: date
    random: Random
    name: str = demo_force.FORCE
    planned: list[PlannedPerson] = field(default_factory=list)
    units: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    posts: dict[int, int] = field(default_factory=dict)  # id(planned post) -> newest fact
    days: dict[date, list[Act]] = field(default_factory=lambda: defaultdict(list))
    at_event: list[Callable[..., None]] = field(default_factory=list)
    tell: Callable[[str], None] = lambda _line: None
    replayed: int = 0  # days

    @property
    def first_day(self) -> date:
        """The first day of the force's history."""
        return self.today - timedelta(days=DAYS)

    def pass_days(self, last: date) -> None:
        """Let the days up to one pass, one transaction and one stamp a day."""
        for day in sorted(day for day in self.days if day <= last):
            at = min(_close_of(day), clock.now())
            with transaction(stamp_as=at):
                for act in self.days.pop(day):
                    act()
            self.replayed += 1
            if self.replayed % 100 == 0:
                self.tell(f"{self.replayed} days of history, up to {day.isoformat()}")


def create_force(people: int, seed: int, password: str, modules: Path, tell: Callable[[str], None]) -> None:
    """Publish the modules and make the force, in an empty database.

    Where modules were published before, every stamp is later than theirs: the history is then known
    only from that moment on.
    """
    if not is_empty_database():
        raise RuleError("The database already holds people. The demo is made in an empty one.")
    force = DemoForce(clock.today(), Random(seed), tell=tell)  # noqa: S311 - repeatable, not a secret
    planned = force.planned = plan_people(people, force.today, force.random)
    with transaction(stamp_as=_close_of(force.first_day) - timedelta(minutes=1)):
        _take_steps(
            force,
            "content",
            ("modules", lambda _force: catalogue.publish_folder(modules, at=stamp())),
        )
    with transaction(stamp_as=_close_of(force.first_day)):
        _create_units(force)
        _create_people(force, planned)
        _create_accounts(force, password)
        catalogue.set_force_values(demo_force.FORCE_VALUES, by=force.people["D3001"])
    tell(f"{plural(len(planned), 'person', 'people')} in {plural(len(force.units), 'unit')}")
    with transaction(stamp_as=_close_of(force.first_day) + timedelta(minutes=1)):
        directives.issue_toml(directive_file(force.first_day), at=stamp())
    _take_steps(
        force,
        "history",
        ("posts", _schedule_posts),
        ("exclusions", _schedule_exclusions),
        ("people", _schedule_people),
    )
    _take_steps(force, "past")
    force.pass_days(force.today)
    _take_steps(force, "today")


def _take_steps(force: DemoForce, part: str, *steps: Step) -> None:
    """Take these steps and those of the features that are on, each after the one that it names."""
    additions = [
        (step.after, (step.name, feature.load(step.make)))
        for feature in current_settings().features_on
        for step in feature.demo
        if step.part == part
    ]
    for _, take in insert_after(steps, additions, lambda step: step[0]):
        take(force)


def _schedule_people(force: DemoForce) -> None:
    DemoHistory(force.today, force.first_day, force.random, force.people).schedule_people(
        force.planned, force.days
    )


def is_empty_database() -> bool:
    """Whether the database holds nobody yet."""
    return db.session.scalar(select(Person.id).limit(1)) is None


def directive_file(effective_on: date) -> bytes:
    """The directive as its owner would write it in a file."""
    roles = ", ".join(f'"{role}"' for role in ROLES)
    requirements = "".join(
        f'\n[[requirement]]\nkind = "module"\nkey = "{key}"\n'
        for key in ("recognise", "protect", "respond", "report")
    )
    return f"""reference = "OIC-2026"
title = "Organised immigration crime e-learning"
source = "Inspection recommendation: four e-learning modules"
wording = "Everyone in a designated role completes the four modules on organised immigration crime."
owner = "D4001"
effective_on = {effective_on.isoformat()}
target = 1.0
notice_days = [30, 7, 1]
expiring_days = 60

[due]
on = {DUE.isoformat()}
days_after_joining = 60

[[audience]]
designated_role = [{roles}]
{requirements}""".encode()


def _close_of(day: date) -> datetime:
    return datetime.combine(day, time(19, 30), UTC)


def _create_units(force: DemoForce) -> None:
    at, since = stamp(), force.first_day - timedelta(days=4000)

    def add_unit(name: str, parent: int | None) -> int:
        unit = Unit(recorded_at=at)
        db.session.add(unit)
        db.session.flush()
        db.session.add(
            UnitState(recorded_at=at, unit_id=unit.id, name=name, parent_id=parent, valid_from=since)
        )
        return unit.id

    force.units[""] = add_unit(demo_force.FORCE, None)
    for path in unit_paths():
        parent, _, name = path.rpartition("/")
        force.units[path] = add_unit(name, force.units[parent])


def _create_people(force: DemoForce, planned: list[PlannedPerson]) -> None:
    at = stamp()
    rows = [Person(recorded_at=at) for _ in planned]
    db.session.add_all(rows)
    db.session.flush()
    for row, person in zip(rows, planned, strict=True):
        force.people[person.staff_number] = row.id
        email = f"{person.staff_number.lower()}@westshire.example"
        db.session.add(
            PersonName(
                person_id=row.id,
                staff_number=person.staff_number,
                surname=person.surname,
                forenames=person.forenames,
                email=email,
            )
        )
    db.session.flush()
    for person in planned:
        if person.posts[0].since <= force.first_day:
            _create_post(force, person, person.posts[0], OPEN_END)


def _create_post(force: DemoForce, person: PlannedPerson, post: PlannedPost, until: date) -> None:
    fact = Post(
        recorded_at=stamp(),
        replaces_id=force.posts.get(id(post)),
        person_id=force.people[person.staff_number],
        post_key="",
        rank_or_grade=post.rank,
        designated_role=post.role,
        unit_id=force.units[post.unit],
        line_manager_id=force.people[person.manager] if person.manager else None,
        valid_from=post.since,
        valid_to=until,
    )
    db.session.add(fact)
    db.session.flush()
    force.posts[id(post)] = fact.id
    touch(people=[fact.person_id])


def _create_accounts(force: DemoForce, password: str) -> None:
    for staff_number, _, _, _, _, _, role, unit in demo_force.ACCOUNTS:
        person_id = force.people[staff_number]
        accounts.set_password(person_id, password, at=clock.now())
        if role:
            grant = RoleGrant(
                person_id=person_id,
                role=role,
                unit_id=force.units[unit] if unit else None,
                valid_from=force.first_day,
                given_at=stamp(),
            )
            db.session.add(grant)
    _give_second_facilitator(force)


def _give_second_facilitator(force: DemoForce) -> None:
    """Somebody without an account runs events as well: one facilitator corrects what another signed off."""
    others = sorted(number for number in force.people if number[0] != "D")
    if others:
        db.session.add(
            RoleGrant(
                person_id=force.people[others[0]],
                role=Role.FACILITATOR,
                unit_id=None,
                valid_from=force.first_day,
                given_at=stamp(),
            )
        )


def _schedule_posts(force: DemoForce) -> None:
    """Posts begin on the evening of their first day; an end may become known days later.

    The next post is then recorded no earlier than that end: known posts never overlap.
    """
    for person in force.planned:
        known = force.first_day
        for post in person.posts:
            if post.since > force.first_day:
                force.days[max(post.since, known)].append(
                    partial(_create_post, force, person, post, OPEN_END)
                )
            if post.until != OPEN_END:
                known = min(post.until + timedelta(days=post.learned_late_days + 1), force.today)
                force.days[known].append(partial(_create_post, force, person, post, post.until))


def _schedule_exclusions(force: DemoForce) -> None:
    """About 4% exempt and 2% deferred, decided by the directive owner."""
    directive_id = db.session.scalars(select(Directive.id)).one()
    for person in force.planned:
        if person.posts[0].role not in ROLES or person.staff_number.startswith("D"):
            continue
        fate = force.random.random()
        if fate > 0.06:
            continue
        begin = force.first_day + timedelta(days=force.random.randint(10, DAYS - 30))
        length = force.random.randint(120, 400)
        force.days[begin].append(
            partial(_create_exclusion, force, directive_id, person, begin, length, fate < 0.04)
        )


def _create_exclusion(
    force: DemoForce, directive_id: int, person: PlannedPerson, begin: date, length: int, exempt: bool
) -> None:
    end = begin + timedelta(days=length)
    person_id = force.people[person.staff_number]
    db.session.add(
        Exclusion(
            recorded_at=stamp(),
            person_id=person_id,
            directive_id=directive_id,
            exempt=exempt,
            reason=force.random.choice(demo_force.REASONS),
            from_on=begin,
            to_on=OPEN_END if exempt and length > 300 else end,
            due_on=None if exempt else end + timedelta(days=60),
            decided_by_id=force.people["D4001"],
        )
    )
    touch(people=[person_id])


# Commands: the fictional force.

MODULES = ROOT / "modules"

bp = Blueprint("demo_commands", __name__, cli_group="demo")


@bp.cli.command("create")
@click.option("--people", type=click.IntRange(20, 20_000), default=600, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def create(people: int, seed: int) -> None:
    """Make the fictional force in an empty database."""
    try:
        _create_force(people, seed, _demo_config())
    except PortalError as error:
        raise click.ClickException(str(error)) from error


@bp.cli.command("prepare")
def prepare() -> None:
    """Bring the demo up: migrate, publish the modules, make the force once, and print the sign-ins."""
    try:
        config = _demo_config()
        upgrade()
        if is_empty_database():
            _create_force(600, 1, config)
            with transaction():
                history.create_drafts("D3001", at=clock.now())
                history.ask_for_deferral("D2001", at=clock.now())
        else:
            with transaction():
                _publish_again()
    except PortalError as error:
        raise click.ClickException(str(error)) from error
    config.mark_demo()
    click.echo(_sign_ins(config))


def _publish_again() -> None:
    """Publish what has changed in the folders since the force was made."""
    _take_steps(
        DemoForce(clock.today(), Random()),  # noqa: S311 - nothing is drawn
        "again",
        ("modules", lambda _force: catalogue.publish_folder(MODULES, at=clock.now())),
    )


def _create_force(people: int, seed: int, config: Config) -> None:
    create_force(people, seed, config.demo_password, MODULES, lambda line: click.echo(line, err=True))


def _demo_config() -> Config:
    config: Config = current_app.config["PORTAL"]
    if config.mode != "demo":
        raise RuleError("The fictional force is made only where PORTAL_MODE is demo.")
    return config


def _sign_ins(config: Config) -> str:
    lines = [
        f"  {row[0]}  {row[6] or 'learner':16} {row[3]} {row[2]} {row[1]}" for row in demo_force.ACCOUNTS
    ]
    return "\n".join(
        [
            "",
            f"{demo_force.FORCE} is fictional. Sign in at {config.address}/sign-in with one of",
            *lines,
            _second_half(config),
            "",
        ]
    )


def _second_half(config: Config) -> str:
    if config.passwords_for_everyone:
        return f"and the password  {config.demo_password}"
    return (
        f"at {config.provider_label}, which asks for no password; administrators also with the password  "
        f"{config.demo_password}"
    )
