"""What is counted in lessons and questions, and what the check says in an author's words."""

import re
import time
import tomllib
from datetime import date
from pathlib import Path

import pytest

from portal.domain.authoring import content_types, findings, item_files
from portal.domain.authoring.files import SNIPPETS
from portal.domain.authoring.messages import author_message
from portal.domain.catalogue.module_check import check_module
from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.source_files import SHARED_FILE_NAMES, parse_shared
from portal.domain.content_checks import metrics
from portal.platform.formats.toml_tables import Faults
from tests.domain.catalogue.folders import CHECK, FORCE, GLOSSARY, ITEM, SOURCES, lesson, sample

ROOT = Path(__file__).resolve().parents[3]
MODULES = ("recognise", "protect", "respond", "report")
WORDS = "You see a van stop in the road and a man get out of it. "  # 15 words
TECHNICAL = re.compile(r"\.toml|\.md\b|TOML|\[\[item|\bline \d|front matter|\w = \w|_glossary|_force")


def sample_folder(changes: dict[str, str | bytes | None] | None = None) -> dict[str, bytes]:
    files = {p.removeprefix("sample/"): c for p, c in sample().items() if p.startswith("sample/")}
    files |= changes or {}
    kept = {path: content for path, content in files.items() if content is not None}
    return {path: c.encode() if isinstance(c, str) else c for path, c in sorted(kept.items())}


def findings_of(
    files: dict[str, bytes], key: str = "sample", shared: dict[str, bytes] | None = None
) -> list[findings.Finding]:
    held = shared or {
        "_sources.toml": SOURCES.encode(),
        "_glossary.toml": GLOSSARY.encode(),
        "_force.toml": FORCE.encode(),
    }
    faults = Faults()
    module = check_module(key, files, parse_shared(held, faults), faults)
    return findings.collect_findings(key, CheckedFolder([module] if module else [], held, faults), files)


def shipped_findings(key: str) -> list[findings.Finding]:
    folder = ROOT / "modules" / key
    files = {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }
    return findings_of(
        files, key, {name: (ROOT / "modules" / name).read_bytes() for name in SHARED_FILE_NAMES}
    )


def places_and_messages(
    found: list[findings.Finding], level: findings.FindingLevel = findings.FindingLevel.MUST_FIX
) -> list[tuple[str, str]]:
    return [(each.place, each.message) for each in found if each.level is level]


def test_words_are_those_that_a_reader_meets():
    body = f"## Two words\n\n{WORDS}[a link](lesson:other) **may**\n\n::: warning\nStop.\n:::\n\n{CHECK}"

    found = metrics.measure_text(body)

    assert found.words == 2 + 15 + 3 + 1
    assert found.checks == 1
    assert found.minutes == pytest.approx(21 / 200 + 0.75)


def test_a_table_s_rules_and_addresses_are_no_words():
    assert (
        metrics.measure_text("| One | Two |\n|---|---|\n| Three | [Four](https://example.org/x) |\n").words
        == 4
    )


@pytest.mark.parametrize(
    "piece", ["A ", "Act ", "|", "-", "::: check\n", "::: inset\n:::\n", "[", "[a](b", ". ", "\n ", "é’"]
)
def test_no_text_keeps_the_page_waiting(piece):
    body = piece * (60_000 // len(piece)) + "x"
    begun = time.process_time()

    metrics.measure_text(body)

    assert time.process_time() - begun < 5


def test_the_summary_of_folded_text_is_read_and_the_marks_are_not():
    body = "::: details More about it\nFolded text.\n:::\n\n::: figure media/box.svg\nA box.\n:::\n"

    assert metrics.measure_text(body).words == 3 + 2 + 2
    for opening, words in (("::: for custody: On arrival", 2), ("::: for custody contact", 0)):
        assert metrics.measure_text(f"{opening}\nFolded text.\n:::\n").words == words + 2


def test_short_words_and_sentences_read_more_easily():
    easy = metrics.reading_grade(WORDS * 5)
    hard = metrics.reading_grade(
        "Notwithstanding considerable organisational responsibilities concerning investigation of"
        " sophisticated criminality, participating authorities necessarily coordinate international"
        " intelligence dissemination throughout interconnected jurisdictions. " * 4
    )

    assert easy is not None
    assert hard is not None
    assert easy < 5
    assert hard > 20
    assert metrics.reading_grade("Too short to tell.") is None


def test_the_grade_is_flesch_kincaid_s():
    text = "The cat sat on the mat. " * 10  # 6 words a sentence, a syllable a word

    assert metrics.reading_grade(text) == pytest.approx(0.39 * 6 + 11.8 * 1 - 15.59, abs=0.05)


def test_the_name_of_an_act_makes_no_text_hard():
    plain = "He may go by the Act. " * 10
    named = plain.replace("the Act", "the Border Security, Asylum and Immigration Act 2025")

    assert metrics.reading_grade(named) == metrics.reading_grade(plain)


@pytest.mark.parametrize("key", MODULES)
def test_the_modules_that_are_shipped_have_nothing_to_put_right_and_are_honest(key):
    found = shipped_findings(key)

    assert places_and_messages(found) == []
    assert [each for each in found if "minutes" in each.message or "grade" in each.message] == []


def test_a_right_choice_that_is_the_longest_is_noticed():
    text = ITEM.format(key="one", outcome="see").replace('"This"', '"This, since it is asked for by the law"')

    found = findings_of(sample_folder({"items/bank.toml": text + ITEM.format(key="two", outcome="say")}))

    finding = next(each for each in found if "longest wrong one" in each.message)
    assert finding.place == "item:one"
    assert finding.quote == "This, since it is asked for by the law"
    assert "38 characters, the longest wrong one 4" in finding.message


def test_the_bank_as_a_whole_must_not_give_itself_away():
    longer = ITEM.replace('"This"', '"This one"')
    rows = [longer.format(key=f"k{n}", outcome="see" if n % 2 else "say") for n in range(6)]

    found = findings_of(sample_folder({"items/bank.toml": "".join(rows)}))

    assert ("details", True) in [(each.place, "in 6 of 6 questions" in each.message) for each in found]


def test_coverage_counts_lessons_and_questions_that_are_still_drawn():
    rows = [ITEM.format(key=f"k{n}", outcome="see") for n in range(3)]
    rows.append(ITEM.format(key="old", outcome="see").replace("source =", "retired = true\nsource ="))
    files = sample_folder({"items/bank.toml": "".join([*rows, ITEM.format(key="two", outcome="say")])})
    faults = Faults()
    module = check_module("sample", files, parse_shared({"_sources.toml": SOURCES.encode()}, faults), faults)
    assert module is not None

    assert [(c.key, c.lessons, c.items) for c in metrics.outcome_coverage(module.package)] == [
        ("see", 2, 3),
        ("say", 2, 1),
    ]


def test_a_lesson_that_is_too_long_and_takes_longer_than_it_says_is_noticed():
    found = findings_of(sample_folder({"lessons/second.md": lesson(WORDS * 60)}))

    told = [
        each
        for place, each in places_and_messages(found, findings.FindingLevel.CONSIDER)
        if place == "lesson:second"
    ]
    assert "The lesson has 900 words. A lesson of 350 to 600 reads well." in told
    assert any("says 2 minutes" in each and "about 4 minutes" in each for each in told)
    assert any("does not end in a check" in each for each in told)


def test_a_fault_stands_at_its_place_with_the_words_it_is_about():
    body = "Read this.\n\nSee [the rest](lesson:nowhere).\n"

    found = [
        each
        for each in findings_of(sample_folder({"lessons/second.md": lesson(body)}))
        if each.blocks_publishing
    ]

    assert [(each.place, each.quote, each.line) for each in found] == [
        ("lesson:second", "See [the rest](lesson:nowhere).", 4)
    ]


def test_a_fault_of_a_question_stands_at_that_question():
    first = ITEM.format(key="one", outcome="see")
    second = ITEM.format(key="two", outcome="say").replace("correct = true\n", "")

    found = findings_of(sample_folder({"items/bank.toml": first + second}))

    assert places_and_messages(found) == [("item:two", "Mark exactly one as right. Now 0 are.")]


@pytest.mark.parametrize(
    ("path", "text", "place"),
    [
        ("lessons/second.md", lesson(content_types.LESSON_TEXT), "lesson:second"),
        ("job-aid.md", f'+++\ntitle = "Aid"\n+++\n\n{content_types.JOB_AID_TEXT}', "job-aid"),
        *(("lessons/second.md", lesson(f"Text.\n\n{box.template}\n"), "lesson:second") for box in SNIPPETS),
        (
            "items/bank.toml",
            ITEM.format(key="one", outcome="see").replace('"That"', '"A likely mistake"'),
            "item:one",
        ),
    ],
)
def test_words_of_the_template_are_to_be_written_over(path, text, place):
    found = [
        each
        for each in findings_of(sample_folder({path: text}))
        if each.message.startswith("This is still the template")
    ]

    assert [each.place for each in found] == [place]
    assert found[0].blocks_publishing


def test_a_new_module_is_template_throughout():
    files = content_types.template_folder("sample", "Sample", "Owner", date(2027, 5, 31))

    found = [each for each in findings_of(files) if each.blocks_publishing]

    assert {each.message for each in found} == {"This is still the template’s text. Write your own."}
    places = {"details", "lesson:lesson-1", "lesson:lesson-2", *(f"item:question-{n}" for n in range(1, 5))}
    assert {each.place for each in found} == places


BROKEN: list[dict[str, str | bytes | None]] = [
    {"module.toml": sample()["sample/module.toml"].replace("title = ", "titel = ")},  # type: ignore[union-attr]
    {"module.toml": sample()["sample/module.toml"].replace("0.8", '"x"')},  # type: ignore[union-attr]
    {"module.toml": sample()["sample/module.toml"].replace("2027-05-31", '"soon"')},  # type: ignore[union-attr]
    {"module.toml": sample()["sample/module.toml"].replace("draw = 2", "draw = 9")},  # type: ignore[union-attr]
    {"module.toml": sample()["sample/module.toml"].replace("draw = 2", "draw = 1")},  # type: ignore[union-attr]
    {"module.toml": sample()["sample/module.toml"].replace('"second"', '"third"')},  # type: ignore[union-attr]
    {"module.toml": "key = "},
    {"module.toml": None},
    {"lessons/first.md": "No title.\n"},
    {"lessons/first.md": lesson("")},
    {"lessons/first.md": lesson("Text.", '"unknown"')},
    {"lessons/first.md": lesson("Text.").replace("minutes = 2", 'minutes = "two"')},
    {"lessons/first.md": lesson("[[force.nobody]] and [x](term:none) and [y](guide:none) ![p](media/p.svg)")},
    {"lessons/first.md": lesson("::: figure media/none.svg\n:::\n\n::: box\nText.\n:::\n\n::: inset\nOpen")},
    {"lessons/first.md": lesson(CHECK + "\n" + CHECK)},
    {"lessons/first.md": lesson(CHECK.replace("correct = true\n", ""))},
    {"lessons/first.md": lesson(CHECK.replace('kind = "single"', "kind = single"))},
    {"items/bank.toml": ""},
    {"items/bank.toml": "x"},
    {"items/bank.toml": ITEM.format(key="one", outcome="see") * 2},
    {"items/bank.toml": ITEM.format(key="one", outcome="other").replace('source = "1"', 'source = "6"')},
    {"items/bank.toml": ITEM.format(key="a b", outcome="see").replace('source = "1"', 'source = "77"')},
    {"items/bank.toml": ITEM.format(key="one", outcome="see").replace("explanation", "explain")},
    {"items/bank.toml": ITEM.format(key="one", outcome="see").replace('"single"', '"riddle"')},
    {"items/bank.toml": ITEM.format(key="one", outcome="see").replace('"single"', '"order"')},
    {"items/bank.toml": ITEM.format(key="one", outcome="see").replace('"single"', '"multiple"')},
    {"items/bank.toml": ITEM.format(key="one", outcome="see").partition("[[item.choice]]")[0]},
    {"media/box.svg": "<svg><script/></svg>"},
    {"job-aid.md": "Do this.\n"},
]


@pytest.mark.parametrize("changes", BROKEN)
def test_no_finding_speaks_of_files_or_their_format(changes):
    found = [each for each in findings_of(sample_folder(changes)) if each.blocks_publishing]

    assert found
    assert [each.message for each in found if TECHNICAL.search(each.message)] == []
    assert {each.place.partition(":")[0] for each in found} <= {
        "details",
        "lesson",
        "item",
        "job-aid",
        "media",
    }


def test_what_the_words_do_not_know_is_said_without_a_file():
    assert (
        author_message("Three items are not listed in module.toml.", {}) == "Three questions are not listed."
    )
    assert (
        author_message("The item “x” needs two or more choices.", {})
        == "This question needs two or more choices."
    )


def test_what_is_counted_is_what_is_shown():
    found = shipped_findings("protect")

    right, consider = findings.count_findings(found)
    assert right == 0
    assert consider == len(found)
    assert (
        findings.place_name("lesson:whose-phone", {"whose-phone": "Whose phone?"}) == "Lesson “Whose phone?”"
    )
    assert findings.place_name("item:nail-bar", {}) == "Question “Nail bar”"


def test_every_question_of_the_modules_that_has_choices_is_measured():
    folder = ROOT / "modules" / "protect"
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.toml")}
    tables = [p.table for p in item_files.read_items(files)]
    choices = [t for t in tables if "choice" in t and not t.get("retired")]
    faults = Faults()
    shared = parse_shared({n: (ROOT / "modules" / n).read_bytes() for n in SHARED_FILE_NAMES}, faults)
    rest = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    module = check_module("protect", rest, shared, faults)
    assert module is not None

    assert metrics.bank_lengths(module.package.items).items == len(choices)
    longest = sum(
        max(t["choice"], key=lambda choice: len(choice["text"])).get("correct", False) for t in choices
    )
    assert metrics.bank_lengths(module.package.items).longest_right <= longest
    assert tomllib.loads(files["module.toml"].decode())["key"] == "protect"
