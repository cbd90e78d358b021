"""The countable rules of the brief: each is broken once, in a copy of a module that keeps them all."""

import re
from datetime import date

import pytest

from tests.pages.authoring.shipped import (
    KEYS,
    Texts,
    list_breaches,
    path_containing,
    replace_text,
    shipped_texts,
)

ITEM = r"^\[\[item\]\]"
KEY = "recognise"
MODULE = f"{KEY}/module.toml"
AID = f"{KEY}/job-aid.md"
LESSON = f"{KEY}/lessons/a-lorry-at-the-services.md"
HEAD = r"(\A\+\+\+\n.*?\n\+\+\+\n)"  # of a lesson
NO_LAW = LESSON


@pytest.fixture
def files() -> Texts:
    return shipped_texts()


def path_of_single_items(files: Texts) -> str:
    return path_containing(files, f"{KEY}/items/", 'kind = "single"', ".toml")


@pytest.mark.parametrize("key", [*KEYS, "_guides"])
def test_what_the_portal_ships_keeps_the_brief(files, key):
    assert any("[[force." in text for path, text in files.items() if path.startswith(f"{key}/"))
    assert list_breaches(files, key) == []


# The module as a whole


def test_four_to_eight_lessons(files):
    names = [f"more-{n}" for n in range(4)]
    for name in names:
        files[f"{KEY}/lessons/{name}.md"] = files[LESSON]
    place = replace_text(files, MODULE, r"^lessons = \[", "lessons = [" + "".join(f'"{n}", ' for n in names))

    assert f"{place}There are 9 lessons. Write 4 to 8." in list_breaches(files, KEY)


@pytest.mark.parametrize(
    ("pattern", "new", "sentence"),
    [
        (r"^minutes = \d+", "minutes = 60", "The module says 60 minutes, but "),
        (
            r"^mastery_score = .*?$",
            "mastery_score = 0.7",
            "The pass mark is 0.7. Write mastery_score",
        ),
        (r"^review_on = .*?$", "review_on = 2026-11-24", "The review date has passed."),
    ],
)
def test_the_details_of_a_module(files, pattern, new, sentence):
    place = replace_text(files, MODULE, pattern, new)

    (breach,) = list_breaches(files, KEY)
    assert breach.startswith(f"{place}{sentence}")


def test_the_draw(files):
    replace_text(files, MODULE, r"^draw = 12", "draw = 7")
    place = replace_text(
        files, MODULE, r"^at_least_per_outcome = 1", "at_least_per_outcome = 0", line_of=r"^\[ass"
    )

    breaches = list_breaches(files, KEY)
    assert f"{place}An attempt draws 7 items. Write draw = 12." in breaches
    assert f"{place}An attempt may leave out an outcome. Write at_least_per_outcome = 1." in breaches


def test_the_longest_path_takes_thirty_five_minutes_at_most(files):
    replace_text(files, MODULE, r"^practice = .*?$", "")

    breach = re.compile(r"The longest path and one assessment take 4\d\.\d minutes\. Aim for 20 to 35\.")
    assert any(breach.search(each) for each in list_breaches(files, KEY))


def test_a_job_aid(files):
    del files[AID]

    assert list_breaches(files, KEY) == [
        f"{MODULE}: There is no job aid. Write job-aid.md: one page to use in the field."
    ]


def retire_items(files: Texts, pattern: str, keep: int) -> None:
    """Retire the items with this line until ``keep`` of them are left."""
    active = re.compile(rf"{pattern}\n(?!retired)", re.M)
    left = sum(len(active.findall(files[path])) for path in files if f"{KEY}/items/" in path)
    for path in [path for path in files if path.startswith(f"{KEY}/items/")]:
        while left > keep and (at := active.search(files[path])):
            files[path] = files[path][: at.end()] + "retired = true\n" + files[path][at.end() :]
            left -= 1
    assert left == keep


def test_every_outcome_has_four_items(files):
    retire_items(files, r'^outcome = "define"', 3)

    line = files[MODULE][: files[MODULE].index('key = "define"')].count("\n")
    breach = f"{MODULE}, line {line}: The outcome “define” is tested by 3 items. Write 4 or more."
    assert breach in list_breaches(files, KEY)


def test_twenty_eight_items(files):
    for outcome in re.findall(r'\[\[outcome\]\]\nkey = "([a-z\-]+)"', files[MODULE]):
        retire_items(files, f'^outcome = "{outcome}"', 3)

    assert f"{MODULE}: The bank has 21 items. Write 28 or more." in list_breaches(files, KEY)


# Lessons


def insert_text(files: Texts, text: str, path: str = LESSON) -> str:
    """Put a text at the head of a lesson; the place of its first line."""
    place = replace_text(files, path, HEAD, r"\1@@@")
    line = files[path][: files[path].index("@@@")].count("\n") + 1
    files[path] = files[path].replace("@@@", text)
    return f"{place.path}, line {line}: "


def test_a_lesson_is_not_too_long(files):
    place = insert_text(files, "You see a van stop. " * 60 + "\n")

    breaches = list_breaches(files, KEY)
    assert any(
        re.match(rf"{re.escape(place)}The lesson has [67]\d\d words. Write 350 to 600.", breach)
        for breach in breaches
    )
    assert any(
        re.match(rf"{re.escape(place)}The lesson takes 4.\d minutes. Aim for 2.5 to 4.", breach)
        for breach in breaches
    )


def test_a_lesson_is_not_too_short(files):
    replace_text(files, LESSON, rf"{HEAD}.*(?=^::: check)", r"\1Read this.\n\n")

    assert any(
        ": The lesson has 2 words. Write 350 to 600." in breach for breach in list_breaches(files, KEY)
    )


@pytest.mark.parametrize(("words", "is_breach"), [(349, True), (350, False), (600, False), (601, True)])
def test_the_bounds_of_a_lesson_are_within_it(files, words, is_breach):
    replace_text(
        files,
        LESSON,
        rf"{HEAD}.*(?=^::: check)",
        "\\1\n" + "You see a van.\n\n" * 10 + "Go.\n\n" * (words - 40),
    )

    assert (
        any(f"The lesson has {words} words." in breach for breach in list_breaches(files, KEY)) is is_breach
    )


def test_a_lesson_says_its_honest_minutes(files):
    place = replace_text(files, LESSON, r"^minutes = \d", "minutes = 5")

    (breach,) = list_breaches(files, KEY)
    assert re.match(
        rf"{place}The lesson says 5 minutes, but it takes about [23].\d. Write minutes = 3.", breach
    )


def test_a_lesson_ends_in_a_check(files):
    files[LESSON] = files[LESSON].rstrip() + "\n\nOne more line.\n"

    last = files[LESSON].rstrip().count("\n") + 1
    breach = f"{LESSON}, line {last}: The lesson does not end in a check. Write ::: check as its last part."
    assert list_breaches(files, KEY) == [breach]


@pytest.mark.parametrize("path", [LESSON, AID])
def test_the_reading_grade(files, path):
    hard = "Organisational considerations necessitate multidisciplinary collaboration notwithstanding. "
    insert_text(files, hard * 20 + "\n", path)

    assert any(
        "The text reads at grade " in breach and "to 9 or lower." in breach
        for breach in list_breaches(files, KEY)
    )


@pytest.mark.parametrize("written", ["30/04/2026", "2026-04-30", "30th April"])
def test_dates_are_written_out(files, written):
    place = insert_text(files, f"It was due on {written}.\n")

    breach = f"{place}“{written}” is not how dates are written here. Write them as “30 April 2026”."
    assert list_breaches(files, KEY) == [breach]


def test_law_has_its_act(files):
    place = insert_text(files, "Use section 46.\n")

    breach = f"{place}“section 46” is quoted without its Act. Name the Act and its year."
    assert list_breaches(files, KEY) == [breach]


def test_the_day_of_law_is_left_to_the_sources(files):
    replace_text(files, LESSON, r"^sources = \[", 'sources = ["161", ')
    place = insert_text(files, "Use section 46 of the Children Act 1989 (as at 25 November 2026).\n")

    (breach,) = list_breaches(files, KEY)
    assert breach.startswith(f"{place}“as at 25 November 2026”: take it out.")


def test_law_with_its_act_is_left_alone(files):
    replace_text(files, LESSON, r"^sources = \[", 'sources = ["161", ')
    insert_text(files, "Use section 46 of the Children Act 1989.\n")

    assert list_breaches(files, KEY) == []


def test_abbreviations_are_spelled_out_and_in_the_glossary(files):
    place = insert_text(files, "Ring QQZ, or GAIN. The plate is WS00 XYZ, and it is on CCTV.\n")

    assert list_breaches(files, KEY) == [
        f"{place}“GAIN” is not spelled out. Write it in full once, followed by (GAIN).",
        f"{place}“QQZ” is not in _glossary.toml. Add the term, or write its words.",
        f"{place}“QQZ” is not spelled out. Write it in full once, followed by (QQZ).",
    ]


def test_no_section_is_empty(files):
    place = insert_text(files, "## Nothing here\n\n## Something here\n\n### Below it\n\nText.\n\n")

    assert list_breaches(files, KEY) == [
        f"{place}There is nothing below this heading. Write something, or remove it."
    ]


@pytest.mark.parametrize(
    ("text", "below", "right"),
    [
        ("## One\n\n#### Two\n\nText.\n\n", 2, "###"),
        ("Text.\n\n### One\n\nText.\n\n", 2, "##"),  # the page's own title stands above
        ("# One\n\nText.\n\n### Two\n\nText.\n\n", 4, "##"),
    ],
)
def test_headings_skip_no_level(files, text, below, right):
    place = insert_text(files, text)

    breaches = list_breaches(files, KEY)
    line = int(re.search(r"line (\d+)", place)[1]) + below
    assert f"{LESSON}, line {line}: This heading skips a level. Write {right} before it." in breaches


# What is still to be written


@pytest.mark.parametrize("left", ["TODO", "…", "...", "TBC", "[insert name]", "Lorem ipsum"])
def test_nothing_is_left_to_be_written(files, left):
    place = insert_text(files, f"This: {left}\n")

    breaches = [
        breach for breach in list_breaches(files, KEY) if "looks like something still to be written" in breach
    ]
    assert [
        breach.startswith(place) and breach.endswith("Complete it, or remove it.") for breach in breaches
    ] == [True]


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        (MODULE, r'^aim = "(?:[^"\\\n]|\\.)*"'),
        (AID, r'^title = "(?:[^"\\\n]|\\.)*"'),
        (f"{KEY}/items/define.toml", r'^explanation = "(?:[^"\\\n]|\\.)*"'),
        (f"{KEY}/media/three-areas.svg", r"(?<=<desc id=\"three-areas-desc\">)[^<]*"),
        ("_glossary.toml", r'^text = "(?:[^"\\\n]|\\.)*"'),
        ("_force.toml", r'^hint = "(?:[^"\\\n]|\\.)*"'),
        ("_sources.toml", r'^title = "(?:[^"\\\n]|\\.)*"'),
    ],
)
def test_no_file_has_something_left_to_be_written(files, path, pattern):
    key = re.match(r"\w+", re.search(pattern, files[path], re.M)[0])
    field = (
        f'{key[0]} = "One. Then … two."' if key and path.endswith((".toml", ".md")) else "One. Then … two."
    )
    place = replace_text(files, path, pattern, field)

    assert list_breaches(files, KEY) == [
        f"{place}“…” looks like something still to be written. Complete it, or remove it."
    ]


# The job aid


def test_a_job_aid_is_short(files):
    insert_text(files, "You see a van stop. " * 80 + "\n", AID)

    breaches = list_breaches(files, KEY)
    assert any(
        re.search(r": The job aid has [67]\d\d words. Write 400 at most.", breach) for breach in breaches
    )


def test_a_job_aid_is_one_page_as_it_is_printed(files):
    place = insert_text(files, "\n" + "- Stop.\n" * 30, AID)

    (breach,) = list_breaches(files, KEY)
    assert breach == f"{place}The job aid fills 2 pages. Shorten it to one."


# The briefing


BRIEFING = f"{KEY}/briefing.md"


def test_a_briefing_is_one_page_too(files):
    place = insert_text(files, "\n" + "- Stop.\n" * 30, BRIEFING)

    assert f"{place}The briefing fills 2 pages. Shorten it to one." in list_breaches(files, KEY)


def test_a_briefing_has_its_three_headings_in_order(files):
    replace_text(files, BRIEFING, "^## The answer$", "## Answers")

    (breach,) = list_breaches(files, KEY)
    assert breach.startswith(f"{BRIEFING}, line ")
    assert breach.endswith("in this order: ## The case, ## Two questions, ## The answer.")


def test_a_briefing_asks_two_questions(files):
    replace_text(files, BRIEFING, r"^2\. What do you do before you drive off\?\n", "")

    (breach,) = list_breaches(files, KEY)
    assert breach.endswith("A briefing asks two questions, as a list with numbers. It has 1.")


# Guides


GUIDE = "_guides/who-to-call.md"


def test_a_guide_is_reviewed_in_time(files):
    place = replace_text(files, GUIDE, r"^review_on = .*?$", "review_on = 2026-11-24")

    assert list_breaches(files, "_guides") == [
        f"{place}The review date has passed. Review the guide and set a new date."
    ]
    assert list_breaches(shipped_texts(), "_guides", on=date(2036, 1, 1)) != []


def test_the_words_of_a_guide(files):
    hard = "Organisational considerations necessitate multidisciplinary collaboration notwithstanding. "
    place = insert_text(files, f"TODO: ring QQZ by 30/04/2026.\n\n{hard * 40}\n", GUIDE)

    breaches = list_breaches(files, "_guides")
    assert any("The text reads at grade " in breach for breach in breaches)
    assert f"{place}“QQZ” is not in _glossary.toml. Add the term, or write its words." in breaches
    assert any("30/04/2026" in breach for breach in breaches)
    assert any("TODO" in breach for breach in breaches)


def test_the_figures_of_a_guide(files):
    drawing = "_guides/media/two-documents.svg"
    replace_text(files, drawing, r'(<text [^>]*)fill="#[0-9a-f]{6}"', r'\1fill="#bbbbbb"')
    del files["_guides/media/grade-3x5x2.narrow.svg"]

    breaches = list_breaches(files, "_guides")
    assert any("There is no media/grade-3x5x2.narrow.svg." in breach for breach in breaches)
    assert any(breach.startswith(f"{drawing}, line ") and " to 1 against " in breach for breach in breaches)


def test_the_guides_are_left_alone_where_one_module_is_checked(files):
    replace_text(files, GUIDE, r"^review_on = .*?$", "review_on = 2026-11-24")

    assert list_breaches(files, KEY) == []
