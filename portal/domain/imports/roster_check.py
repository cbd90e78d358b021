"""Checks a roster without a lock: everything that it would change, and the bad rows."""

from collections.abc import Iterable, Iterator
from itertools import islice

from portal.domain.directives import preview
from portal.domain.directives.preview import AudienceEffect, RosterEffect
from portal.domain.imports.check_result import (
    CheckResult,
    EndedPosts,
    NewValue,
    ResultSection,
    RowFault,
    Tell,
    digest_of,
    ignore_progress,
    left_out_section,
)
from portal.domain.imports.column_mapping import EMAIL, STAFF_NUMBER, ColumnMapping
from portal.domain.imports.kept_rows import count_rows_by_identifier
from portal.domain.imports.known_values import KnownValues, read_known_values
from portal.domain.imports.post_days import date_posts
from portal.domain.imports.roster_summary import RosterSummary
from portal.domain.imports.staged_imports import StagedRoster
from portal.domain.imports.unit_move_suggestions import suggest_unit_moves
from portal.domain.imports.value_mapping import FileValues, list_new_values, read_values, word_as_file
from portal.domain.people.roster import store
from portal.domain.people.roster.plan import RosterBaseline, RosterPlan, plan_with_faults
from portal.domain.people.roster.rows import RosterRow, fold_numbers, parse_rows_with_faults
from portal.domain.people.roster.units import UnitNames
from portal.domain.people.units.paths import join
from portal.platform import clock
from portal.platform.tables.table_files import Sheet, SourceRow
from portal.platform.wording import date as day_words
from portal.platform.wording import plural

MOST_NOTICES = 50  # of one kind
WHO = ("Person", "Staff number")


def check_roster(sheet: Sheet, mapping: ColumnMapping, tell: Tell = ignore_progress) -> CheckResult:
    """Compare a roster with the people, posts and units in the portal."""
    bases = store.read_plan_basis(), preview.preview_basis()
    values = read_values(sheet, mapping)
    baseline = store.read_baseline()
    source_rows = _date_rows(values, mapping, baseline)
    rows, mistyped = parse_rows_with_faults(source_rows)
    numbers_in_file = {row.values["staff_number"] for row in source_rows}
    plan, reasons = plan_with_faults(rows, baseline, numbers_in_file)
    every_reason = word_as_file((*values.reasons, *mistyped, *reasons), sheet, mapping)
    faults = sorted(map(RowFault.from_reason, every_reason))
    if reasons:  # show what the good rows would do
        bad_lines = {fault.line for fault in faults}
        plan, _ = plan_with_faults(
            [row for row in rows if row.line not in bad_lines], baseline, numbers_in_file
        )
    tell(1, "Finding who each directive applies to")
    effect = preview.effect_of_posts(plan.post_changes, plan.unit_plan, baseline.today)
    effects, summary = effect.audiences, RosterSummary(plan, baseline)
    known = read_known_values(mapping.shape)
    new_values = list_new_values(source_rows, known)
    staged = StagedRoster(plan, *bases)
    return CheckResult(
        faults=faults,
        sections=[
            *_list_people(summary),
            *_list_units(plan, baseline),
            *_list_audience_effects(effects, summary),
            *_list_missing(plan, summary),
            left_out_section(+values.left_out),
            _kept_section(plan, summary),
        ],
        numbers=_count_changes(plan, summary),
        same={"Unchanged posts": plan.unchanged_count},
        digest=digest_of(plan, [effect.digest for effect in effects], faults),
        stage=staged.stage,
        commit=staged.commit,
        write=staged.write,
        posts=_count_ended_posts(plan, baseline),
        notices=[
            *summary.list_reach_notices(effect),
            *islice(_list_unit_notices(rows, plan, known), MOST_NOTICES),
            *(value.notice for value in new_values[:MOST_NOTICES]),
            *map(RowFault.from_reason, values.notices[:MOST_NOTICES]),
        ],
        unasked=_list_unasked(new_values, effect) if mapping.documented else (),
    )


def _list_unit_notices(rows: Iterable[RosterRow], plan: RosterPlan, known: KnownValues) -> Iterator[RowFault]:
    """The units that the plan creates, upper ones first; nothing where no unit is known yet."""
    lines: dict[UnitNames, list[int]] = {}
    for row in rows:
        for length in range(1, len(row.unit) + 1):
            lines.setdefault(row.unit[:length], []).append(row.line)
    for unit in plan.unit_plan.new_units if known.units else ():
        path, found = join(unit.names), lines[unit.names]
        force = "" if unit.names[1:] else known.name_new_force(path)
        told = f"“{path}” becomes {force}" if force else f"The unit “{path}” is new"
        yield RowFault(min(found), f"{told} ({plural(len(found), 'row')}).")


def _list_unasked(new_values: list[NewValue], effect: RosterEffect) -> list[NewValue]:
    """New values that look mistyped, and roles that no directive names where directives are in force."""
    roles = effect.named.is_any
    return [value for value in new_values if value.alike or (roles and value.target == "designated_role")]


def _date_rows(values: FileValues, mapping: ColumnMapping, baseline: RosterBaseline) -> list[SourceRow]:
    """The rows with the days of their posts; whoever has left and has no post is counted as left out."""
    folded = [fold_numbers(row) for row in values.rows]
    if mapping.documented:
        return folded
    rows = list(date_posts(folded, mapping, baseline))
    values.left_out.update({"Has left, and has no post that goes on": len(folded) - len(rows)})
    return rows


def _count_ended_posts(plan: RosterPlan, baseline: RosterBaseline) -> EndedPosts:
    """How many posts that have not ended the plan withdraws or ends earlier."""
    last_days = {
        post.id: post.values.valid_to
        for posts in baseline.posts.values()
        for post in posts
        if post.values.valid_to >= baseline.today
    }
    ended = sum(
        change.replaces_id in last_days
        and (change.void or change.values.valid_to < last_days[change.replaces_id])
        for change in plan.post_changes
        if change.replaces_id is not None
    )
    return EndedPosts(ended, len(last_days))


def _list_people(summary: RosterSummary) -> Iterator[ResultSection]:
    section = ResultSection.from_rows
    arrival = (*WHO, "Post", "Unit", "From")
    yield section("joins", "People who join", arrival, summary.list_arrivals("joins"))
    yield section("returns", "People who come back", arrival, summary.list_arrivals("returns"))
    yield section("moves", "People who move", (*WHO, "Was", "Becomes", "From"), summary.list_movers())
    yield section(
        "leaves",
        "People who leave",
        (*WHO, "Last day"),
        summary.list_leavers(),
        "They cannot sign in from the next day. Their records stay.",
    )
    correction = (*WHO, "Post from", "What changes")
    yield section("corrected", "Posts that are corrected", correction, summary.list_corrected_posts())
    withdrawal = (*WHO, "Post from", "Post")
    yield section("withdrawn", "Posts that are withdrawn", withdrawal, summary.list_withdrawn_posts())
    renaming = ("Staff number", "Was", "Becomes")
    yield section(
        "renamed", "Names and addresses that are corrected", renaming, summary.list_renamed_people()
    )
    yield section(
        "doubles",
        "Possible duplicates",
        (*WHO, "Same name as"),
        summary.list_possible_duplicates(),
        "These people are new, but somebody with another staff number has the same name. If it is the same "
        "person, correct the number in the file before you apply it.",
    )


def _list_units(plan: RosterPlan, baseline: RosterBaseline) -> Iterator[ResultSection]:
    new_units = ((join(unit.names), day_words(unit.valid_from)) for unit in plan.unit_plan.new_units)
    yield ResultSection.from_rows("units", "Units created", ("Unit", "From"), new_units)
    suggestions = (
        (move.old, move.new, str(move.people), day_words(move.on), move.command)
        for move in suggest_unit_moves(plan, baseline)
    )
    yield ResultSection.from_rows(
        "moved",
        "Units that were perhaps renamed or moved",
        ("Was", "Becomes", "People", "From", "Command"),
        suggestions,
        "The same people go from one path to a new one. If the unit itself was renamed or moved, first "
        "rename or move it on the Units page, or with this command. It then keeps its history and grants.",
    )


def _list_audience_effects(effects: list[AudienceEffect], summary: RosterSummary) -> Iterator[ResultSection]:
    yield ResultSection.from_rows(
        "directives",
        "Changes to directives",
        ("Directive", "Joins", "Leaves", "Due date changes"),
        (
            (effect.reference, str(len(effect.joins)), str(len(effect.leaves)), str(len(effect.due_changes)))
            for effect in effects
        ),
    )
    for effect in effects:
        people_by_change = {"Joins": effect.joins, "Leaves": effect.leaves, "Due date": effect.due_changes}
        rows = [
            (
                summary.person_name(person.staff_number),
                person.staff_number,
                change,
                day_words(person.first),
                day_words(person.due_on),
            )
            for change, people in people_by_change.items()
            for person in sorted(people, key=lambda person: person.staff_number)
        ]
        heads = (*WHO, "What", "From", "Due")
        title = f"{effect.reference}: who joins, leaves or has a new due date"
        yield ResultSection.from_rows(f"reach-{effect.reference}", title, heads, rows)


def _list_missing(plan: RosterPlan, summary: RosterSummary) -> Iterator[ResultSection]:
    lead = "They stay as they are. Nothing is removed because it is missing from the file."
    people = ((summary.person_name(number), number) for number in plan.missing_people)
    yield ResultSection.from_rows("missing-people", "People missing from the file", WHO, people, lead)
    posts = ((post,) for post in plan.missing_posts)
    yield ResultSection.from_rows("missing-posts", "Posts missing from the file", ("Post",), posts, lead)


def _kept_section(plan: RosterPlan, summary: RosterSummary) -> ResultSection:
    """People who join and have kept rows of earlier files."""
    kept = count_rows_by_identifier((STAFF_NUMBER, EMAIL), clock.now())
    rows = []
    for person in plan.new_people:
        names = ((STAFF_NUMBER, person.staff_number), (EMAIL, person.email or ""))
        count = sum(kept.get(name, 0) for name in names)
        if count:
            rows.append((summary.person_name(person.staff_number), person.staff_number, str(count)))
    lead = (
        "Completions of these people were kept from earlier files. The next import of completions under a "
        "profile that keeps rows records them; or record them under Imports, Kept rows."
    )
    return ResultSection.from_rows("kept", "Kept rows of people who join", (*WHO, "Kept rows"), rows, lead)


def _count_changes(plan: RosterPlan, summary: RosterSummary) -> dict[str, int]:
    kinds = list(summary.change_kinds.values())
    return {
        "New people": len(plan.new_people),
        "New posts": plan.new_post_count,
        "Corrected posts": plan.correction_count,
        "Withdrawn posts": plan.withdrawn_count,
        "Corrected names": len(plan.renamed_people),
        "People who come back": kinds.count("returns"),
        "People who move": kinds.count("moves"),
        "People who leave": kinds.count("leaves"),
        "Units that begin earlier": len(plan.unit_plan.extended_states),
    }
