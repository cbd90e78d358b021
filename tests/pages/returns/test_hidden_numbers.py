"""Nobody works out a hidden number of people from all that the national view hands out of one date."""

import csv
import io
import json
import random
from datetime import date

import pytest
from python_calamine import CalamineWorkbook

from portal.domain.reports.packs.rounding import is_small
from portal.platform.permissions import Role
from tests.factories.people import make_grant
from tests.factories.returns import ask_for, make_force, make_return
from tests.page_reading import words
from tests.pages.account.browsing import let_in, make_account
from tests.pages.returns.small_number_attack import COLUMNS, Knowledge, learn_groups, read_files
from tests.pages.returns.test_national_pages import coordinate

SMALL, MONTH = 5, "2026-05"
REQUIREMENTS = ("", "module:first", "module:second")
Missing = dict[str, tuple[int, int, int]]  # of each force, who miss the first alone, the second alone, both
Truth = dict[tuple[str, str, str], int]


@pytest.fixture
def browser(app, client, monkeypatch, database, time_machine):
    """Signed in at the coordinating unit on 20 June 2026; May is asked for."""
    time_machine.move_to("2026-06-20T09:00:00Z")
    coordinate(app, monkeypatch)
    make_grant(make_account("D4009"), Role.DIRECTIVE_OWNER)
    let_in(client, "D4009")
    ask_for(MONTH, date(2026, 6, 14))
    return client


def send_returns(forces: dict[str, tuple[int, int]], missing: Missing, *, without_roles: tuple = ()) -> Truth:
    """A return of each force, given its people assigned and excluded; all of them response but one in ten."""
    truth: Truth = {}
    for key, (assigned, excluded) in forces.items():
        first, second, both = missing[key]
        more = {}
        for requirement, lacking in zip(
            REQUIREMENTS, (first + second + both, first + both, second + both), strict=True
        ):
            complete = assigned - excluded - lacking
            numbers = (complete, lacking, excluded)
            truth.update({(requirement, key, name): n for name, n in zip(COLUMNS, numbers, strict=True)})
            more[requirement, "force", ""] = (assigned, excluded, complete)
            if key not in without_roles:
                few = assigned // 10
                more[requirement, "role", "custody"] = (few, 0, few)
                more[requirement, "role", "response"] = (assigned - few, excluded, complete - few)
        make_return(make_force(key), MONTH, more=more)
    return truth


def take_files(browser) -> dict[str, dict]:
    """The JSON file of each requirement; the CSV file and the workbook have the same rows."""
    documents = {}
    for requirement in REQUIREMENTS:
        asked = f"?period={MONTH}&requirement={requirement}"
        document = json.loads(browser.get(f"/returns/national.json{asked}").data)
        sheet = browser.get(f"/returns/national.csv{asked}").get_data(as_text=True)
        lines = list(csv.DictReader(io.StringIO(sheet)))
        book = CalamineWorkbook.from_filelike(io.BytesIO(browser.get(f"/returns/national.xlsx{asked}").data))
        heads, *rows = book.get_sheet_by_name("Forces").to_python()
        for column in COLUMNS:
            numbers = [row[column] for row in document["rows"]]
            assert [int(line[column]) if line[column] else None for line in lines] == numbers
            cells = [row[heads.index(column)] for row in rows]
            assert [None if cell == "" else int(cell) for cell in cells] == numbers
        documents[requirement] = document
    return documents


def list_leaks(known: Knowledge, truth: Truth) -> list[str]:
    """Small numbers that are not every small number to the attacker."""
    return [
        f"{cell}: {number} is {known.low[cell]} to {known.high[cell]}"
        for cell, number in truth.items()
        if is_small(number, SMALL) and not (known.low[cell] <= 1 and known.high[cell] >= SMALL - 1)
    ]


def test_the_files_of_two_requirements_do_not_tell_what_each_hides(browser):
    sizes = {"one": 200, "two": 150, "three": 400, "four": 500, "five": 600, "six": 700, "seven": 800}
    missing = {"one": (3, 0, 0), "two": (20, 0, 0), "three": (0, 2, 0), "four": (90, 9, 9)}
    missing |= dict.fromkeys(("five", "six", "seven"), (70, 70, 9))
    truth = send_returns({key: (size, size // 10) for key, size in sizes.items()}, missing)

    known = read_files(take_files(browser), MONTH)

    assert list_leaks(known, truth) == []
    assert known.high["", "seven", "complete"] == truth["", "seven", "complete"]  # large numbers are shown


def test_totals_by_role_do_not_tell_of_the_force_that_is_not_in_them(browser):
    forces = {"one": (200, 20), "two": (150, 20), "three": (400, 40), "four": (500, 50)}
    truth = send_returns(
        forces,
        {"one": (3, 0, 0), "two": (20, 0, 0), "three": (60, 30, 9), "four": (90, 9, 9)},
        without_roles=("two",),
    )
    known = read_files(take_files(browser), MONTH)
    page = browser.page(f"/returns/national?period={MONTH}")
    tables = [table for table in page.all("table") if "By designated role" in words(table)]

    for table in tables:
        done, counted = read_shares(words(table))
        learn_groups(known, "", ("one", "three", "four"), {"complete": done, "not_complete": counted - done})

    assert list_leaks(known, truth) == []


def read_shares(text: str) -> tuple[int, int]:
    """The people complete and counted of all rows of a table that are shown."""
    pairs = [part.split(" of ") for part in text.split(" – ")[1:]]
    numbers = [(int(done.replace(",", "")), int(rest.split()[0].replace(",", ""))) for done, rest in pairs]
    return sum(done for done, _ in numbers), sum(counted for _, counted in numbers)


@pytest.mark.parametrize("seed", range(4))
def test_no_small_number_is_narrowed_whatever_forces_return(browser, seed):
    chance = random.Random(seed)
    forces = {f"force-{n}": (chance.randint(60, 300), chance.choice((0, 3, 8, 12))) for n in range(9)}
    missing = {key: tuple(chance.choice((0, 0, 1, 2, 3, 6, 11)) for _ in range(3)) for key in forces}
    truth = send_returns(forces, missing)

    known = read_files(take_files(browser), MONTH)

    assert list_leaks(known, truth) == []
