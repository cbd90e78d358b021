"""Item statistics agree with an independent computation, and are silent on too little data."""

import random
import statistics
from collections import Counter
from decimal import Decimal

import pytest
from sqlalchemy import select

from portal.domain.assessment.models import Attempt, Response, Submission
from portal.domain.authoring import services
from portal.domain.authoring import statistics as authoring_statistics
from portal.domain.authoring.item_statistics import (
    LOW_AGREEMENT,
    RARE_CHOICE,
    TOO_EASY,
    TOO_HARD,
    ItemTally,
    OfferedChoice,
    compute_statistics,
    tally_marks,
)
from portal.domain.catalogue import services as catalogue
from portal.domain.catalogue.models import Item
from portal.domain.people.models import PersonName
from portal.pages.authoring.views import statistics as views
from portal.platform.db import db, stamp, transaction
from tests.domain.catalogue.folders import write
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant, make_person
from tests.page_reading import words
from tests.pages.account.browsing import let_in, make_account
from tests.pages.authoring.answering import items_of, random_sheets, register_person, submit_all
from tests.pages.monitoring.counting import statements

ADVICE = (TOO_HARD, TOO_EASY, LOW_AGREEMENT, RARE_CHOICE)
AB = [OfferedChoice("a", "A", True), OfferedChoice("b", "B", False)]


def make_tally(marks: list[int], rests: list[int]) -> ItemTally:
    """The tally of one item, with one other item in each attempt."""
    sheets = [{"1": f"{a}.0000", "2": f"{b}.0000"} for a, b in zip(marks, rests, strict=True)]
    return tally_marks(sheets)[1]


def rows_of(version_id: int):
    return authoring_statistics.module_results((version_id,)).rows


def sign_in_author(client, staff_number="D3001"):
    make_grant(make_account(staff_number), "author")
    let_in(client, staff_number)
    return client


def independent(version_id: int, item_id: int):
    """Answers, share, correlation and choices from the raw rows, row by row."""
    marks, rests, choices = [], [], Counter()
    for submission in db.session.scalars(select(Submission)):
        sheet = {int(k): Decimal(v) for k, v in submission.marks.items()}
        if item_id not in sheet:
            continue
        others = [mark for key, mark in sheet.items() if key != item_id]
        marks.append(sheet[item_id])
        rests.append(sum(others) / len(others))
        rows = db.session.scalars(
            select(Response)
            .where(Response.attempt_id == submission.attempt_id, Response.item_id == item_id)
            .order_by(Response.id)
        ).all()
        choices.update(rows[-1].choices)
    related = statistics.correlation(list(map(float, marks)), list(map(float, rests)))
    return len(marks), sum(marks) / len(marks), related, choices


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_every_figure_agrees_with_the_raw_rows(database, seed):
    chance = random.Random(seed)
    version = make_version(items=9)
    other = make_version(items=9)
    items = items_of(version)
    for _ in range(4):  # each person tries many times: every attempt counts
        submit_all(register_person(make_person(), version), random_sheets(items, 40, chance))
    submit_all(register_person(make_person(), version), random_sheets(items, 5, chance), end=False)
    submit_all(register_person(make_person(), other), random_sheets(items_of(other), 40, chance))

    rows = rows_of(version)

    assert sum(row.statistics.answer_count for row in rows) == 4 * 40 * 4
    for row, item in zip(rows, items, strict=True):
        answers, share, related, choices = independent(version, item.id)
        assert row.key == item.key
        assert row.statistics.answer_count == answers >= 30
        assert row.statistics.share <= share < row.statistics.share + Decimal("0.0001")
        assert row.statistics.correlation == pytest.approx(related, abs=1e-12)
        assert {taken.option.key: taken.count for taken in row.statistics.choices} == {
            key: choices[key] for key in "abcd"
        }


@pytest.mark.parametrize(("answers", "enough"), [(29, False), (30, True)])
def test_advice_and_correlation_begin_at_thirty_answers(answers, enough):
    marks = [int(n % 5 == 0) for n in range(answers)]
    result = compute_statistics(make_tally(marks, [1 - mark for mark in marks]), AB, [(["b"], answers)])

    assert (result.correlation is not None) is enough
    assert result.advice == ((TOO_HARD, LOW_AGREEMENT) if enough else ())
    assert result.answer_count == answers
    assert not any(taken.is_rare for taken in result.choices)


@pytest.mark.parametrize(
    ("right", "advice"),
    [(29, TOO_HARD), (30, None), (95, None), (96, TOO_EASY)],
)
def test_the_bounds_of_the_share_themselves_give_no_advice(right, advice):
    marks = [int(n < right) for n in range(100)]
    result = compute_statistics(make_tally(marks, marks), AB, [(["a"], right), (["b"], 100 - right)])

    assert result.share == Decimal(right) / 100
    assert [sentence for sentence in result.advice if sentence in {TOO_HARD, TOO_EASY}] == (
        [advice] if advice else []
    )
    assert result.correlation == pytest.approx(1)


@pytest.mark.parametrize(("taken", "rare"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_wrong_choice_under_two_per_cent_is_named(taken, rare):
    marks = [int(n % 2) for n in range(100)]
    three = [*AB, OfferedChoice("c", "C", False)]
    result = compute_statistics(
        make_tally(marks, marks), three, [(["a"], 50), (["b"], 50 - taken), (["c"], taken)]
    )

    assert result.advice == ((RARE_CHOICE,) if rare else ())
    assert [choice.option.key for choice in result.choices if choice.is_rare] == (["c"] if rare else [])


def test_a_right_choice_that_nobody_takes_is_not_called_a_wrong_one():
    result = compute_statistics(make_tally([0] * 40, [0, 1] * 20), AB, [(["b"], 40)])

    assert result.advice == (TOO_HARD,)


def test_a_choice_counts_among_those_who_came_to_its_scene():
    scenes = [OfferedChoice(key, key, key.endswith("a")) for key in ("one/a", "one/b", "two/a", "two/b")]
    ways = [(["one/a"], 60), (["one/b", "two/a"], 29)]
    marks = [int(n % 2) for n in range(89)]

    few = compute_statistics(make_tally(marks, marks), scenes, ways)
    enough = compute_statistics(
        make_tally([*marks, 0], [*marks, 0]), scenes, [*ways, (["one/b", "two/a"], 1)]
    )

    assert [(taken.count, taken.offered_count) for taken in few.choices] == [
        (60, 89),
        (29, 89),
        (29, 29),
        (0, 29),
    ]
    assert not any(taken.is_rare for taken in few.choices)
    assert [taken.option.key for taken in enough.choices if taken.is_rare] == ["two/b"]


@pytest.mark.parametrize(
    ("marks", "rests"),
    [([1] * 30, [0, 1] * 15), ([0, 1] * 15, [1] * 30), ([1] * 30, [1] * 30)],
)
def test_where_nothing_varies_there_is_no_correlation(marks, rests):
    result = compute_statistics(make_tally(marks, rests), [], [])

    assert result.correlation is None
    assert LOW_AGREEMENT not in result.advice


def test_equal_scores_out_of_different_numbers_of_items_do_not_vary():
    sheets = [
        {"99": f"{k % 2}.0000", **{str(n): "0.3333" for n in range(6 if k % 3 else 13)}} for k in range(40)
    ]

    assert compute_statistics(tally_marks(sheets)[99], [], []).correlation is None


def test_an_attempt_of_one_item_counts_and_has_nothing_to_agree_with():
    result = compute_statistics(tally_marks([{"1": "1.0000"}] * 40)[1], AB, [(["a"], 40)])

    assert (result.answer_count, result.share, result.correlation) == (40, 1, None)
    assert result.advice == (TOO_EASY, RARE_CHOICE)


def test_marks_in_between_count_as_far_as_they_go():
    sheets = [{"1": "0.3333", "2": "1.0000"}, {"1": "0.6666", "2": "0.0000"}]

    assert compute_statistics(tally_marks(sheets)[1], [], []).share == Decimal("0.4999")


def test_before_the_first_answer_there_is_no_share():
    result = compute_statistics(ItemTally(), AB, [])

    assert (result.answer_count, result.share, result.correlation, result.advice) == (0, None, None, ())


def test_what_was_left_unanswered_counts_as_it_was_marked(database):
    version = make_version(items=4)
    items = items_of(version)
    sheet = {item.id: None if item.position == 1 else ["b"] for item in items}
    submit_all(register_person(make_person(), version), [sheet] * 3)

    first = rows_of(version)[0].statistics

    assert (first.answer_count, first.share) == (3, 0)
    assert [taken.count for taken in first.choices] == [0, 0, 0, 0]


CHOICES = [
    {"key": key, "html": key.upper(), "feedback_html": "", "correct": key == "a"} for key in ("a", "b")
]


@pytest.mark.parametrize(
    ("kind", "content", "chosen", "counted"),
    [
        ("order", {"steps": [{"key": k, "html": k} for k in "abc"]}, ["b", "a", "c"], {}),
        ("match", {"pairs": [], "rights": []}, [], {}),
        (
            "report",
            {
                "incident_html": "",
                "parts": [{"key": "p", "kind": "choice", "label": "P", "choices": CHOICES}],
            },
            ["p/a"],
            {"p/a": 1, "p/b": 0},
        ),
    ],
)
def test_the_kind_says_which_choices_are_counted(database, kind, content, chosen, counted):
    version = make_version(items=4)
    texts = dict.fromkeys(("key", "prompt_html", "explanation_html"), "x")
    with transaction():
        item = Item(
            module_version_id=version,
            position=5,
            outcome="one",
            kind=kind,
            content=content,
            source=[],
            **texts,
        )
        db.session.add(item)
    sheet = {each.id: ["b"] for each in items_of(version)} | {item.id: chosen}
    submit_all(register_person(make_person(), version), [sheet])

    *others, last = rows_of(version)

    assert last.statistics.answer_count == 1
    assert {taken.option.key: taken.count for taken in last.statistics.choices} == counted
    assert all(len(row.statistics.choices) == 4 for row in others)


def test_the_page_advises_beside_the_item_in_words(client):
    chance = random.Random(3)
    version = make_version(items=6)
    submit_all(register_person(make_person(), version), random_sheets(items_of(version), 60, chance))

    page = sign_in_author(client).page("/authoring/protect/statistics")

    assert page.h1 == "Question results, version 1"
    assert "240 answers in submitted assessments" in page.text
    rows = [[words(cell) for cell in row] for row in page.all("tr")][1:]
    for row, item in zip(rows, rows_of(version), strict=True):
        assert item.key in row[0]
        assert int(row[1]) == item.statistics.answer_count
        assert row[2] == f"{int(item.statistics.share * 100)}%"
        assert row[3].replace("−", "-") == f"{item.statistics.correlation:.2f}"
        assert [sentence for sentence in ADVICE if sentence in row[6]] == list(item.statistics.advice)
        assert "Choice a & item" in row[6]
        assert (item.verdict in row[6]) == (item.verdict != "Keep")
    assert "How far a score can be trusted" in page.text
    assert "from 60 attempts. The standard error of a score is" in page.text
    assert "lower third" in page.text
    assert "T0" not in page.text
    assert "Shah" not in page.text.replace("Priya Shah Sign out", "")


def test_the_address_sorts_the_table(client, monkeypatch):
    version = make_version(items=6)
    submit_all(
        register_person(make_person(), version), random_sheets(items_of(version), 20, random.Random(4))
    )
    sign_in_author(client)

    def column(number: int, sort: str) -> list[str]:
        page = client.page(f"/authoring/protect/statistics?sort={sort}")
        return [words(row[number]) for row in page.all("tr")][1:]

    counts = [int(cell) for cell in column(1, "answers")]
    assert counts == sorted(counts)
    assert [int(cell) for cell in column(1, "-answers")] == sorted(counts, reverse=True)
    assert column(0, "") == column(0, "item") == column(0, "-item")[::-1]
    refused = client.page("/authoring/protect/statistics?sort=nonsense&version=9", 400).text
    assert "“nonsense” is not a known sort order. Choose item, -item, answers," in refused
    assert "“9” is not a known version. Choose 1 or all." in refused
    head = client.page("/authoring/protect/statistics?sort=answers").links["Answers"]
    assert "sort=-answers" in head
    monkeypatch.setattr(views, "ROWS", 4)
    first = client.page("/authoring/protect/statistics?sort=answers")
    second = client.page(first.links["Next 2"])
    assert ("Showing 1 to 4 of 6" in first.text, "Showing 5 to 6 of 6" in second.text) == (True, True)
    shown = [words(row[1]) for page in (first, second) for row in page.all("tr")[1:]]
    assert [int(cell) for cell in shown] == sorted(counts)


def test_the_version_is_chosen_by_address(client):
    old = make_version(items=4)
    submit_all(register_person(make_person(), old), random_sheets(items_of(old), 3, random.Random(5)))
    make_version(items=4)
    sign_in_author(client)

    now = client.page("/authoring/protect/statistics")
    before = client.page(now.links["Version 1"])

    assert now.h1 == "Question results, version 2"
    assert "When people have submitted the assessment of this version" in now.text
    assert now.all("table") == []
    assert "12 answers" in before.text
    assert "Too few answers to say." in before.text
    together = client.page(now.links["All versions"])
    assert together.h1 == "Question results, all versions"
    assert "12 answers" in together.text
    assert together.text.count("Choices made") == 4  # of the older version: the newer has no answer yet
    assert together.text.count("item-1, version 2") == together.text.count("item-1, version 1") == 1
    assert "version=all" in together.links["Answers"]
    client.page("/authoring/protect/statistics?version=3", status=400)
    client.page("/authoring/nothing/statistics", status=404)


def test_a_module_that_was_never_published_says_what_will_be_here(client):
    sign_in_author(client)
    person = db.session.scalars(select(PersonName.person_id).where(PersonName.staff_number == "D3001")).one()
    with transaction():
        services.create_module_draft("fresh", "Fresh", by=person, at=stamp())

    page = client.page("/authoring/fresh/statistics")

    assert page.h1 == "Question results"
    assert "When this module is published and people have submitted the assessment" in page.text


def test_a_question_leads_to_the_draft_s_editor_where_there_is_a_draft(app, client, tmp_path):
    with transaction():
        version = catalogue.publish_folder(write(tmp_path), at=stamp()).versions[0].id
    submit_all(register_person(make_person(), version), [{item.id: ["a"] for item in items_of(version)}])
    sign_in_author(client)
    person = db.session.scalars(select(PersonName.person_id).where(PersonName.staff_number == "D3001")).one()
    path = "/authoring/sample/statistics"

    before = client.page(path)
    with transaction():
        services.open_draft("sample", by=person, at=stamp())
    after = client.page(path)

    assert "What is it?" not in before.links
    assert before.links["open the module"] == "/authoring/sample"
    assert after.links["What is it?"] == "/authoring/sample/items/two"
    make_grant(make_account("D3002"), "publisher")
    browser = type(client)(app)
    let_in(browser, "D3002")
    assert browser.page(path).links["What is it?"] == "/authoring/sample/preview/items/two"


def test_one_more_submission_is_counted_at_once_and_none_costs_one_statement(database):
    version = make_version(items=4)
    sheets = random_sheets(items_of(version), 2, random.Random(8))
    first, other = register_person(make_person(), version), register_person(make_person(), version)

    submit_all(first, sheets[:1])
    assert sum(row.statistics.answer_count for row in rows_of(version)) == 4
    with statements() as run:
        rows_of(version)
    assert len([statement for statement in run if statement.startswith("SELECT")]) == 1
    submit_all(other, sheets[1:])
    assert sum(row.statistics.answer_count for row in rows_of(version)) == 8


def test_two_items_and_twenty_cost_the_same(database):
    counts = []
    for size in (4, 20):
        version = make_version(f"module-{size}", items=size)
        submit_all(
            register_person(make_person(), version), random_sheets(items_of(version), size, random.Random(6))
        )
        db.session.expire_all()
        with statements() as run:
            rows_of(version)
        counts.append(len([statement for statement in run if statement.startswith(("SELECT", "WITH"))]))

    assert counts == [5, 5]
    assert db.session.scalar(select(Attempt.id).limit(1))
