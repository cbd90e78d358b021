"""The countable rules of the brief: each is broken once, in a copy of a module that keeps them all."""

import re
from datetime import date

import pytest

from tests.pages.authoring.shipped import KEYS, Texts, change, first, found, texts

ITEM = r"^\[\[item\]\]"
KEY = "recognise"
MODULE = f"{KEY}/module.toml"
AID = f"{KEY}/job-aid.md"
LESSON = f"{KEY}/lessons/a-lorry-at-the-services.md"
HEAD = r"(\A\+\+\+\n.*?\n\+\+\+\n)"  # of a lesson
NO_LAW = LESSON


@pytest.fixture
def files() -> Texts:
    return texts()


def singles(files: Texts) -> str:
    return first(files, f"{KEY}/items/", 'kind = "single"', ".toml")


@pytest.mark.parametrize("key", [*KEYS, "_guides"])
def test_what_the_portal_ships_keeps_the_brief(files, key):
    assert any("[[force." in text for path, text in files.items() if path.startswith(f"{key}/"))
    assert found(files, key) == []


# The module as a whole


def test_six_to_eight_lessons(files):
    names = [f"more-{n}" for n in range(3)]
    for name in names:
        files[f"{KEY}/lessons/{name}.md"] = files[LESSON]
    place = change(files, MODULE, r"^lessons = \[", "lessons = [" + "".join(f'"{n}", ' for n in names))

    assert f"{place}There are 9 lessons. Write 6 to 8." in found(files, KEY)


@pytest.mark.parametrize(
    ("pattern", "new", "said"),
    [
        (r"^minutes = \d+", "minutes = 40", "The module says 40 minutes, and "),
        (
            r"^mastery_score = .*?$",
            "mastery_score = 0.7",
            "The score that passes is 0.7. Write mastery_score",
        ),
        (r"^review_on = .*?$", "review_on = 2026-11-24", "The day of review has passed."),
    ],
)
def test_the_details_of_a_module(files, pattern, new, said):
    place = change(files, MODULE, pattern, new)

    (told,) = found(files, KEY)
    assert told.startswith(f"{place}{said}")


def test_the_draw(files):
    change(files, MODULE, r"^draw = 12", "draw = 7")
    place = change(files, MODULE, r"^at_least_per_outcome = 1", "at_least_per_outcome = 0", line_of=r"^\[ass")

    told = found(files, KEY)
    assert f"{place}An attempt draws 7 items. Write draw = 12." in told
    assert f"{place}An outcome may be left out of an attempt. Write at_least_per_outcome = 1." in told


def test_twenty_five_minutes_or_more(files):
    change(files, MODULE, r"^draw = 12", "draw = 7")

    assert any("minutes. Aim at 25 to 40." in each for each in found(files, KEY))


def test_a_job_aid(files):
    del files[AID]

    assert found(files, KEY) == [
        f"{MODULE}: There is no job aid. Write job-aid.md: one page to use in the field."
    ]


def retire(files: Texts, pattern: str, keep: int) -> None:
    """Retire the items with this line until ``keep`` of them are left."""
    left = sum(len(re.findall(pattern, files[path], re.M)) for path in files if f"{KEY}/items/" in path)
    for path in [path for path in files if path.startswith(f"{KEY}/items/")]:
        while left > keep and (at := re.search(rf"{pattern}\n(?!retired)", files[path], re.M)):
            files[path] = files[path][: at.end()] + "retired = true\n" + files[path][at.end() :]
            left -= 1
    assert left == keep


def test_every_outcome_has_four_items(files):
    retire(files, r'^outcome = "define"', 3)

    line = files[MODULE][: files[MODULE].index('key = "define"')].count("\n")
    told = f"{MODULE}, line {line}: The outcome “define” is tested by 3 items. Write 4 or more."
    assert told in found(files, KEY)


def test_twenty_eight_items(files):
    for outcome in re.findall(r'\[\[outcome\]\]\nkey = "([a-z\-]+)"', files[MODULE]):
        retire(files, f'^outcome = "{outcome}"', 3)

    assert f"{MODULE}: The bank has 21 items. Write 28 or more." in found(files, KEY)


# Lessons


def with_text(files: Texts, text: str, path: str = LESSON) -> str:
    """Put a text at the head of a lesson; the place of its first line."""
    place = change(files, path, HEAD, r"\1@@@")
    line = files[path][: files[path].index("@@@")].count("\n") + 1
    files[path] = files[path].replace("@@@", text)
    return f"{place.path}, line {line}: "


def test_a_lesson_is_not_too_long(files):
    place = with_text(files, "You see a van stop. " * 60 + "\n")

    told = found(files, KEY)
    assert any(re.match(rf"{re.escape(place)}The lesson has 7\d\d words. Write 350 to 600.", t) for t in told)
    assert any(
        re.match(rf"{re.escape(place)}The lesson takes 4.\d minutes. Aim at 2.5 to 4.", t) for t in told
    )


def test_a_lesson_is_not_too_short(files):
    change(files, LESSON, rf"{HEAD}.*(?=^::: check)", r"\1Read this.\n\n")

    assert any(": The lesson has 2 words. Write 350 to 600." in each for each in found(files, KEY))


@pytest.mark.parametrize(("words", "told"), [(349, True), (350, False), (600, False), (601, True)])
def test_the_bounds_of_a_lesson_are_within_it(files, words, told):
    change(
        files,
        LESSON,
        rf"{HEAD}.*(?=^::: check)",
        "\\1\n" + "You see a van.\n\n" * 10 + "Go.\n\n" * (words - 40),
    )

    assert any(f"The lesson has {words} words." in each for each in found(files, KEY)) is told


def test_a_lesson_says_its_honest_minutes(files):
    place = change(files, LESSON, r"^minutes = \d", "minutes = 5")

    (told,) = found(files, KEY)
    assert re.match(rf"{place}The lesson says 5 minutes, and [23].\d are counted. Write minutes = 3.", told)


def test_a_lesson_ends_in_a_check(files):
    files[LESSON] = files[LESSON].rstrip() + "\n\nOne more line.\n"

    last = files[LESSON].rstrip().count("\n") + 1
    told = f"{LESSON}, line {last}: The lesson does not end in a check. Write ::: check as its last part."
    assert found(files, KEY) == [told]


@pytest.mark.parametrize("path", [LESSON, AID])
def test_the_reading_grade(files, path):
    hard = "Organisational considerations necessitate multidisciplinary collaboration notwithstanding. "
    with_text(files, hard * 20 + "\n", path)

    assert any("The text reads at grade " in each and "to 9 or lower." in each for each in found(files, KEY))


@pytest.mark.parametrize("written", ["30/04/2026", "2026-04-30", "30th April"])
def test_dates_are_written_out(files, written):
    place = with_text(files, f"It was due on {written}.\n")

    told = f"{place}“{written}” is not how dates are written here. Write them as “30 April 2026”."
    assert found(files, KEY) == [told]


def test_law_has_its_act_and_its_date(files):
    place = with_text(files, "Use section 46.\n")

    assert found(files, KEY) == [
        f"{place}“section 46” is quoted without a date. Write “as at” and the day on which the law was read.",
        f"{place}“section 46” is quoted without its Act. Name the Act and its year.",
    ]


def test_law_with_its_act_and_its_date_is_left_alone(files):
    with_text(files, "Use section 46 of the Children Act 1989 (as at 25 November 2026).\n")

    assert found(files, KEY) == []


def test_abbreviations_are_spelled_out_and_in_the_glossary(files):
    place = with_text(files, "Ring QQZ, or GAIN. The plate is WS00 XYZ, and it is on CCTV.\n")

    assert found(files, KEY) == [
        f"{place}“GAIN” is not spelled out. Write its words once, with (GAIN) behind them.",
        f"{place}“QQZ” is not in _glossary.toml. Add the term, or write its words.",
        f"{place}“QQZ” is not spelled out. Write its words once, with (QQZ) behind them.",
    ]


def test_no_section_is_empty(files):
    place = with_text(files, "## Nothing here\n\n## Something here\n\n### Below it\n\nText.\n\n")

    assert found(files, KEY) == [
        f"{place}There is nothing beneath this heading. Write something, or take it out."
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
    place = with_text(files, text)

    told = found(files, KEY)
    line = int(re.search(r"line (\d+)", place)[1]) + below
    assert f"{LESSON}, line {line}: This heading skips a level. Write {right} before it." in told


# What is still to be written


@pytest.mark.parametrize("left", ["TODO", "…", "...", "TBC", "[insert name]", "Lorem ipsum"])
def test_nothing_is_left_to_be_written(files, left):
    place = with_text(files, f"This: {left}\n")

    told = [each for each in found(files, KEY) if "looks like something still to be written" in each]
    assert [each.startswith(place) and each.endswith("Write it out, or take it away.") for each in told] == [
        True
    ]


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
    place = change(files, path, pattern, field)

    assert found(files, KEY) == [
        f"{place}“…” looks like something still to be written. Write it out, or take it away."
    ]


# The job aid


def test_a_job_aid_is_short(files):
    with_text(files, "You see a van stop. " * 80 + "\n", AID)

    told = found(files, KEY)
    assert any(re.search(r": The job aid has [67]\d\d words. Write 400 at most.", each) for each in told)


def test_a_job_aid_is_one_page_as_it_is_printed(files):
    place = with_text(files, "\n" + "- Stop.\n" * 70, AID)

    (told,) = found(files, KEY)
    assert told == f"{place}The job aid fills 2 pages. Shorten it to one."


# Guides


GUIDE = "_guides/who-to-call.md"


def test_a_guide_is_reviewed_in_time(files):
    place = change(files, GUIDE, r"^review_on = .*?$", "review_on = 2026-11-24")

    assert found(files, "_guides") == [
        f"{place}The day of review has passed. Review the guide and set a new day."
    ]
    assert found(texts(), "_guides", on=date(2036, 1, 1)) != []


def test_the_words_of_a_guide(files):
    hard = "Organisational considerations necessitate multidisciplinary collaboration notwithstanding. "
    place = with_text(files, f"TODO: ring QQZ by 30/04/2026.\n\n{hard * 40}\n", GUIDE)

    told = found(files, "_guides")
    assert any("The text reads at grade " in each for each in told)
    assert f"{place}“QQZ” is not in _glossary.toml. Add the term, or write its words." in told
    assert any("30/04/2026" in each for each in told)
    assert any("TODO" in each for each in told)


def test_the_figures_of_a_guide(files):
    drawing = "_guides/media/two-documents.svg"
    change(files, drawing, r'(<text [^>]*)fill="#[0-9a-f]{6}"', r'\1fill="#bbbbbb"')
    del files["_guides/media/grade-3x5x2.narrow.svg"]

    told = found(files, "_guides")
    assert any("There is no media/grade-3x5x2.narrow.svg." in each for each in told)
    assert any(each.startswith(f"{drawing}, line ") and " to 1 against " in each for each in told)


def test_the_guides_are_left_alone_where_one_module_is_checked(files):
    change(files, GUIDE, r"^review_on = .*?$", "review_on = 2026-11-24")

    assert found(files, KEY) == []
