"""Checking a roster: all that it would do, and the bad rows, without a lock."""

from collections.abc import Iterator

from portal.domain.directives import preview
from portal.domain.directives.preview import AudienceEffect
from portal.domain.imports.check_result import (
    CheckResult,
    ResultSection,
    RowFault,
    Tell,
    digest_of,
    ignore_progress,
)
from portal.domain.imports.column_mapping import ColumnMapping, rows_of
from portal.domain.imports.roster_summary import RosterSummary, Row
from portal.domain.imports.staged_imports import StagedRoster
from portal.domain.imports.unit_move_suggestions import suggest_unit_moves
from portal.domain.people.roster import store
from portal.domain.people.roster.plan import RosterBaseline, RosterPlan, plan_with_faults
from portal.domain.people.roster.rows import parse_rows_with_faults
from portal.domain.people.units.paths import join
from portal.platform.tables.table_files import Sheet
from portal.platform.wording import date as day_words

WHO = ("Person", "Staff number")


def check_roster(sheet: Sheet, match: ColumnMapping, tell: Tell = ignore_progress) -> CheckResult:
    """Hold a roster against what the portal knows."""
    bases = store.read_plan_basis(), preview.basis()
    found, unreadable = rows_of(sheet, match)
    rows, mistyped = parse_rows_with_faults(found)
    world = store.read_baseline()
    listed = {row.values["staff_number"] for row in found}
    made, reasons = plan_with_faults(rows, world, listed)
    faults = sorted(RowFault.from_reason(said) for said in (*unreadable, *mistyped, *reasons))
    if reasons:  # show what the others would do
        bad = {fault.line for fault in faults}
        made, _ = plan_with_faults([row for row in rows if row.line not in bad], world, listed)
    tell(1, "Working out whom each directive reaches")
    effects = preview.effect_of_posts(made.post_changes, made.unit_plan)
    words = RosterSummary(made, world)
    staged = StagedRoster(made, *bases)
    return CheckResult(
        faults=faults,
        sections=[
            *_list_people(words),
            *_list_units(made, world),
            *_list_audience_effects(effects, words),
            *_list_missing(made, words),
        ],
        numbers=_count_changes(made, words),
        same={"Unchanged posts": made.unchanged_count},
        digest=digest_of(made, [effect.digest for effect in effects], faults),
        stage=staged.stage,
        write=staged.write,
    )


def _list_people(words: RosterSummary) -> Iterator[ResultSection]:
    arrives = (*WHO, "Post", "Unit", "From")
    yield ResultSection.from_rows("joins", "People who join", arrives, words.list_arrivals("joins"))
    yield ResultSection.from_rows("returns", "People who come back", arrives, words.list_arrivals("returns"))
    yield ResultSection.from_rows(
        "moves", "People who move", (*WHO, "Was", "Becomes", "From"), words.list_movers()
    )
    yield ResultSection.from_rows(
        "leaves",
        "People who leave",
        (*WHO, "Last day"),
        words.list_leavers(),
        "From the day after it they cannot sign in. Their records stay.",
    )
    differs = (*WHO, "Post from", "What differs")
    yield ResultSection.from_rows(
        "corrected", "Posts that are corrected", differs, words.list_corrected_posts()
    )
    taken = (*WHO, "Post from", "It said")
    yield ResultSection.from_rows(
        "withdrawn", "Posts that are withdrawn", taken, words.list_withdrawn_posts()
    )
    renamed = ("Staff number", "Was", "Becomes")
    yield ResultSection.from_rows(
        "renamed", "Names and addresses that are corrected", renamed, words.list_renamed_people()
    )
    yield ResultSection.from_rows(
        "doubles",
        "Possible duplicates",
        (*WHO, "Same name as"),
        words.list_possible_duplicates(),
        "These people are new and have the name of somebody with another number. If it is the same person, "
        "put the number right in the file before you apply it.",
    )


def _list_units(made: RosterPlan, world: RosterBaseline) -> Iterator[ResultSection]:
    rows = ((join(unit.names), day_words(unit.valid_from)) for unit in made.unit_plan.new_units)
    yield ResultSection.from_rows("units", "Units created", ("Unit", "From"), rows)
    moved: list[Row] = [
        (one.old, one.new, str(one.people), day_words(one.on), one.command)
        for one in suggest_unit_moves(made, world)
    ]
    yield ResultSection.from_rows(
        "moved",
        "Units that were perhaps renamed or moved",
        ("Was", "Becomes", "People", "From", "Command"),
        moved,
        "The same people go from one path to a new one. If the unit itself was renamed or moved, change it "
        "under that command or on the page of units first: then its past and its grants go with it.",
    )


def _list_audience_effects(effects: list[AudienceEffect], words: RosterSummary) -> Iterator[ResultSection]:
    yield ResultSection.from_rows(
        "directives",
        "What it does to directives",
        ("Directive", "Joins", "Leaves", "Due date changes"),
        (
            (one.reference, *(str(len(found)) for found in (one.joins, one.leaves, one.due_changes)))
            for one in effects
        ),
    )
    for one in effects:
        rows = [
            (
                words.person_name(who.staff_number),
                who.staff_number,
                what,
                day_words(who.first),
                day_words(who.due_on),
            )
            for what, found in (("Joins", one.joins), ("Leaves", one.leaves), ("Due date", one.due_changes))
            for who in sorted(found, key=lambda who: who.staff_number)
        ]
        heads = (*WHO, "What", "From", "Due")
        yield ResultSection.from_rows(
            f"reach-{one.reference}",
            f"{one.reference}: who joins, leaves or is due on another day",
            heads,
            rows,
        )


def _list_missing(made: RosterPlan, words: RosterSummary) -> Iterator[ResultSection]:
    stays = "They stay as they are: what is missing is never removed."
    people = ((words.person_name(number), number) for number in made.missing_people)
    yield ResultSection.from_rows("missing-people", "People missing from the file", WHO, people, stays)
    posts = ((said,) for said in made.missing_posts)
    yield ResultSection.from_rows("missing-posts", "Posts missing from the file", ("Post",), posts, stays)


def _count_changes(made: RosterPlan, words: RosterSummary) -> dict[str, int]:
    kinds = list(words.change_kinds.values())
    return {
        "New people": len(made.new_people),
        "New posts": made.new_post_count,
        "Corrected posts": made.correction_count,
        "Withdrawn posts": made.withdrawn_count,
        "Corrected names": len(made.renamed_people),
        "People who come back": kinds.count("returns"),
        "People who move": kinds.count("moves"),
        "People who leave": kinds.count("leaves"),
        "Units that begin earlier": len(made.unit_plan.extended_states),
    }
