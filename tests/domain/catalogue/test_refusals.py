"""Every fault of a package is refused, with its file, its line and what to write instead."""

import os

import pytest

from portal.domain.catalogue import services, source_files
from tests.domain.catalogue.folders import CHECK, GLOSSARY, ITEM, MODULE, SOURCES, SVG, lesson, write

BANK = ITEM.format(key="one", outcome="see") + ITEM.format(key="two", outcome="say")


def list_faults(folder) -> list[str]:
    return services.check_folder(folder).faults.sentences()


def changed_module(old: str, new: str) -> dict[str, str]:
    assert old in MODULE
    return {"sample/module.toml": MODULE.replace(old, new, 1)}


def changed_bank(old: str, new: str) -> dict[str, str]:
    assert old in BANK
    return {"sample/items/bank.toml": BANK.replace(old, new, 1)}


def first_lesson(body: str) -> dict[str, str]:
    return {"sample/lessons/first.md": lesson(body)}


def changed_check(old: str, new: str) -> dict[str, str]:
    assert old in CHECK
    return first_lesson(CHECK.replace(old, new, 1))


def changed_svg(old: str, new: str) -> dict[str, str]:
    assert old in SVG
    return {"sample/media/box.svg": SVG.replace(old, new, 1)}


def test_the_sample_has_no_fault(tmp_path):
    assert list_faults(write(tmp_path)) == []


MODULE_FAULTS = [
    (
        changed_module('title = "Sample', 'titel = "Sample'),
        "sample/module.toml, line 2: “titel” is not a known key here",
    ),
    (
        changed_module('title = "Sample: a small module"\n', ""),
        "sample/module.toml, line 1: “title” is missing.",
    ),
    (
        changed_module('"sample"', '"other"'),
        'line 1: The key must be the folder\'s name: write key = "sample".',
    ),
    (changed_module("minutes = 10", "minutes = 0"), "line 6: “minutes” needs a whole number, 1 or more."),
    (changed_module("minutes = 10", "minutes = true"), "line 6: “minutes” needs a whole number, 1 or more."),
    (changed_module("0.8", "1.2"), "line 7: “mastery_score” needs a number above 0 and at most 1"),
    (changed_module("0.8", "0.80001"), "line 7: “mastery_score” needs a number above 0 and at most 1"),
    (changed_module("0.8", "nan"), "line 7: “mastery_score” needs a number above 0 and at most 1"),
    (changed_module("2027-05-31", '"May 2027"'), "line 5: “review_on” needs a date without quotation marks"),
    (
        changed_module('["first", "second"]', '["first", "third", "second"]'),
        "line 8: There is no lessons/third.md.",
    ),
    (
        changed_module('["first", "second"]', '["first"]'),
        "sample/lessons/second.md: Add “second” to the list of lessons",
    ),
    (changed_module('["first", "second"]', '["../first", "second"]'), "“../first” is not a lesson's name."),
    (
        changed_module('["first", "second"]', '["first", "second", "first"]'),
        "“lessons” names something twice.",
    ),
    (changed_module('key = "say"', 'key = "see"'), "line 15: The outcome “see” is used twice."),
    (changed_module('key = "say"', 'key = "Say it"'), "line 15: “Say it” is not a key."),
    (changed_module("draw = 2", "draw = 3"), "line 18: The assessment draws 3 items, but the bank has 2."),
    (changed_module("draw = 2", "draw = 1"), "line 18: 1 items cannot hold 1 of each outcome."),
    (
        changed_module("at_least_per_outcome = 1", "at_least = 1"),
        "line 20: “at_least” is not a known key here.",
    ),
    (changed_module("[assessment]", "[assessments]"), "“[assessment]” is missing."),
    (changed_module("minutes = 10", "minutes = " + "9" * 5000), "This is not TOML: a number is too long."),
    (changed_module("0.8", "1e99999999999999999999"), "This is not TOML: a number is too long."),
    (changed_module("minutes = 10", "minutes = "), "line 6: This is not TOML"),
    ({"sample/module.toml": MODULE.replace("\n", "\r\n")}, "line 1: End lines with LF alone, not CR LF."),
    ({"sample/module.toml": b"\xff"}, "sample/module.toml, line 1: Save the file as UTF-8."),
    ({"sample/module.toml": "\ufeff" + MODULE}, "line 1: Take out the invisible character U+FEFF."),
    ({"sample/module.toml": None}, "sample/module.toml: This file is missing."),
    ({"sample/notes.txt": "x"}, "sample/notes.txt: “notes.txt” does not belong in a module."),
    ({"sample/lessons/deep/x.md": "x"}, "“lessons/deep/x.md” does not belong in a module."),
    ({"sample/.DS_Store": "x"}, "“.DS_Store” does not belong in a module."),
    ({"README.md": "x"}, "README.md: “README.md” is not a module's folder."),
    ({"_sorces.toml": "x"}, "_sorces.toml: “_sorces.toml” is not known. Shared files are _sources.toml"),
    ({"_sources.toml": SOURCES.replace('"6"', '"1"')}, "_sources.toml, line 10: “1” is used twice."),
    ({"_sources.toml": SOURCES.replace('"low"', '"poor"')}, "“poor” is not a kind of source. Use primary"),
    (
        {"_glossary.toml": GLOSSARY + GLOSSARY.replace('"OIC"', '"oic"')},
        "“oic” and “OIC” give the same link",
    ),
]

LESSON_FAULTS = [
    ({"sample/lessons/first.md": "Text"}, "sample/lessons/first.md, line 1: Begin with front matter"),
    ({"sample/lessons/first.md": lesson("")}, "first.md, line 6: Write the text below the front matter."),
    (
        {"sample/lessons/first.md": lesson(outcomes='"see", "sea"')},
        "line 2: The outcome “sea” is not in module",
    ),
    (
        {"sample/lessons/first.md": lesson().replace("minutes", "minute")},
        "line 3: “minute” is not a known key",
    ),
    (
        {
            "sample/lessons/first.md": lesson(outcomes='"see"'),
            "sample/lessons/second.md": lesson(outcomes='"see"'),
        },
        "sample/module.toml, line 14: No lesson covers the outcome “say”.",
    ),
    (
        first_lesson("a\n\n[x](lesson:third)\n"),
        "first.md, line 9: There is no lesson “third” in this module.",
    ),
    (first_lesson("[x](guide:third)\n"), "first.md, line 7: There is no guide “third”."),
    (first_lesson("[x](term:NCA)\n"), "line 7: “NCA” is not in _glossary.toml."),
    (first_lesson("[x](media/none.pdf)\n"), "line 7: There is no media/none.pdf in the module's folder."),
    (first_lesson("[x](../secret)\n"), "line 7: “../secret” leads nowhere."),
    (first_lesson("[x](//evil.example)\n"), "line 7: “//evil.example” leads nowhere."),
    (first_lesson("a\n\n[[force.nothing]]\n"), "line 9: “[[force.nothing]]” is not in _force.toml."),
    (first_lesson("![x](media/box.svg)\n"), "line 7: Show a picture as a figure"),
    (
        first_lesson("::: figure media/none.svg\nText.\n:::\n"),
        "line 7: There is no media/none.svg in the module's folder.",
    ),
    (first_lesson("::: figure media/box.svg\n:::\n"), "line 7: Write the figure's content as text between"),
    (first_lesson("::: figure\nText.\n:::\n"), "line 7: Name the drawing: ::: figure media/name.svg."),
    (first_lesson("::: details\nText.\n:::\n"), "line 7: Say what the details are about"),
    (first_lesson("::: for\nText.\n:::\n"), "line 7: Say for whom the part is, such as ::: for custody."),
    (
        first_lesson("::: for cells: Text\nText.\n:::\n"),
        "line 7: “cells” is not a duty. Use response, contact,",
    ),
    (first_lesson("::: for custody custody\nText.\n:::\n"), "line 7: The same duty is there twice."),
    (first_lesson("::: for custody:\nText.\n:::\n"), "line 7: Write what the part is about after the colon"),
    (first_lesson("::: inset now\nText.\n:::\n"), "line 7: Write nothing after “::: inset”."),
    (first_lesson("::: box\nText.\n:::\n"), "line 7: “::: box” is not a container."),
    (first_lesson("::: inset\nText.\n"), "line 7: “::: inset” is not closed."),
    (first_lesson("Text.\n\n:::\n"), "line 9: This ::: closes nothing."),
    (first_lesson(CHECK + "\n" + CHECK), "The key “try” is used twice in this lesson."),
    (changed_check('kind = "single"', 'kind = "riddle"'), "line 9: “riddle” is not a kind of item."),
    (
        changed_check("correct = true\n", ""),
        "The item “try” has 0 correct choices. Mark exactly one correct = true.",
    ),
    (changed_check('feedback = "No."\n', ""), "first.md, line 19: “feedback” is missing."),
    (changed_check('prompt = "Which?"', "prompt = Which"), "first.md, line 10: This is not TOML"),
    (
        changed_check('explanation = "So."', 'explanation = "So."\nscore = 1'),
        "line 12: “score” is not a known key here.",
    ),
]

ITEM_FAULTS = [
    (
        changed_bank('key = "two"', 'key = "one"'),
        "The key “one” is also used in sample/items/bank.toml, line 1.",
    ),
    (
        changed_bank('outcome = "see"', 'outcome = "sea"'),
        "line 1: The outcome “sea” of “one” is not in module.toml.",
    ),
    (
        changed_bank('outcome = "see"', 'outcome = "say"'),
        "module.toml, line 10: The outcome “see” has 0 items and needs 1.",
    ),
    (changed_bank('source = "1"', 'source = "6"'), "line 1: The source “6” of “one” is not testable."),
    (
        changed_bank('source = "1"', 'source = ["1", "99"]'),
        "line 1: The source “99” of “one” is not in _sources.toml.",
    ),
    (
        changed_bank('source = "1"', 'source = "1"\nfor = ["custody", "traffic"]'),
        "line 8: “traffic” is not a duty. Use response, contact, investigation, custody or supervisors.",
    ),
    (changed_bank('source = "1"', 'source = "1"\nfor = "custody"'), "line 8: “for” needs a list of texts"),
    (changed_bank('source = "1"\n', ""), "line 1: “source” is missing."),
    (
        changed_bank('kind = "single"', 'kind = "riddle"'),
        "line 4: “riddle” is not a kind of item. Use single, multiple",
    ),
    (
        changed_bank('kind = "single"', 'kind = "multiple"'),
        "The item “one” has 1 correct choices. Mark two or more",
    ),
    (
        changed_bank('feedback = "No."', 'feedback = "No."\ncorrect = true'),
        "The item “one” has 2 correct choices. Mark exa",
    ),
    (
        changed_bank('prompt = "What is it?"', 'prompt = "One.\\n\\nTwo."'),
        "line 5: Write the prompt as one paragraph.",
    ),
    (changed_bank('key = "b"', 'key = "a"'), "line 16: The key “a” is used twice in this item."),
    (
        changed_bank('prompt = "What is it?"', 'promt = "What is it?"'),
        "line 5: “promt” is not a known key here.",
    ),
    (changed_bank('text = "That"', 'txt = "That"'), "line 17: “txt” is not a known key here."),
    (
        changed_bank("[[item.choice]]", "retired = true\n[[item.choice]]"),
        "The outcome “see” has 0 items and needs 1.",
    ),
    (
        {"sample/items/bank.toml": BANK.replace("[[item]]", "[[question]]")},
        "“item” needs tables headed [[item]].",
    ),
    (
        changed_bank('explanation = "Because it is."', 'explanation = " "'),
        "line 6: “explanation” needs a text",
    ),
    (
        changed_bank('prompt = "What is it?"', 'prompt = "Go to [x](lesson:none)"'),
        "There is no lesson “none” in this",
    ),
    (changed_bank("Because it is.", "[[force.none]]"), "“[[force.none]]” is not in _force.toml."),
]

MEDIA_FAULTS = [
    (changed_svg("<title>A drawing</title>\n", ""), "box.svg, line 1: Add a <title> as a child of <svg>"),
    (
        changed_svg("<desc>A box.</desc>\n", "<desc> </desc>\n"),
        "box.svg, line 1: Add a <desc> as a child of <svg>",
    ),
    (
        changed_svg("<rect", "<script>alert(1)</script><rect"),
        "box.svg, line 4: A drawing may not contain <script>.",
    ),
    (changed_svg("<rect", "<foreignObject/><rect"), "A drawing may not contain <foreignObject>."),
    (changed_svg("<rect", "<style>*{}</style><rect"), "A drawing may not contain <style>."),
    (
        changed_svg("<rect", '<image href="https://evil.example/x.png"/><rect'),
        "A drawing may not contain <image>.",
    ),
    (changed_svg("<rect", '<animate attributeName="href"/><rect'), "A drawing may not contain <animate>."),
    (changed_svg("<rect", '<a href="javascript:alert(1)"/><rect'), "A drawing may not contain <a>."),
    (
        changed_svg("<rect", '<x:rect xmlns:x="http://www.w3.org/1999/xhtml"/><rect'),
        "A drawing may not contain <rect>.",
    ),
    (changed_svg("<rect", '<rect onload="alert(1)"'), "line 4: <rect> may not have “onload”."),
    (changed_svg("<rect", '<rect style="fill:red"'), "line 4: <rect> may not have “style”."),
    (changed_svg("<rect", '<use href="other.svg#a"/><rect'), "<use> may only refer to its own drawing"),
    (
        changed_svg("<rect", '<rect fill="url(https://evil.example/x)"'),
        "“fill” of <rect> refers to something outside",
    ),
    (
        changed_svg("<svg", "<?xml-stylesheet href='x.css'?><svg"),
        "line 1: Take out the processing instruction",
    ),
    (changed_svg("<title>", "<?php x ?><title>"), "line 2: Take out the processing instruction"),
    (changed_svg("<svg", '<?xml version="1.0" encoding="utf-7"?><svg'), "line 1: Save the drawing as UTF-8."),
    (
        changed_svg("<svg", "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg"),
        "box.svg, line 1: Take out the document type",
    ),
    (changed_svg('viewBox="0 0 100 50"', ""), "Give <svg> a viewBox"),
    (changed_svg("</svg>", ""), "This is not well-formed SVG."),
    ({"sample/media/box.svg": b"\x89PNG\r\n\x1a\n"}, "This file ends in .svg but is PNG. Name it .png."),
    ({"sample/media/page.html": "<!doctype html>"}, "page.html: This is not a file that can be published."),
    ({"sample/media/page.png": "<!doctype html>"}, "page.png: This is not a file that can be published."),
    ({"sample/media/a b.svg": SVG}, "a b.svg: Name the file with letters, digits"),
    ({"sample/media/film.mp4": b"\0\0\0\x18ftypmp42"}, "film.mp4: Add captions beside it"),
]


@pytest.mark.parametrize(
    ("changes", "said"),
    [*MODULE_FAULTS, *LESSON_FAULTS, *ITEM_FAULTS, *MEDIA_FAULTS],
    ids=lambda v: str(v)[:60],
)
def test_a_fault_is_refused_with_its_place_and_its_remedy(tmp_path, changes, said):
    found = list_faults(write(tmp_path, changes))

    assert any(said in sentence for sentence in found), found


def test_all_faults_are_told_at_once(tmp_path):
    changes = {
        **changed_module("minutes = 10", "minutes = 0"),
        **changed_bank('source = "1"', 'source = "6"'),
        **first_lesson(""),
    }

    assert len(list_faults(write(tmp_path, changes))) == 3


def test_a_link_is_refused_and_not_followed(tmp_path):
    folder = write(tmp_path / "all")
    (tmp_path / "secret.svg").write_text(SVG)
    os.symlink(tmp_path / "secret.svg", folder / "sample/media/link.svg")
    os.symlink(tmp_path, folder / "sample/lessons/up")
    os.symlink(tmp_path / "secret.svg", folder / "other")

    found = services.check_folder(folder)

    assert [s for s in found.faults.sentences() if "Links are not followed" in s] == found.faults.sentences()
    assert len(found.faults) == 3
    assert "media/link.svg" not in found.modules[0].package.files


def test_a_file_that_is_no_file_is_refused(tmp_path):
    folder = write(tmp_path)
    os.mkfifo(folder / "sample/media/pipe.svg")

    assert list_faults(folder) == ["sample/media/pipe.svg: Only files and folders can be published."]


def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(source_files, "MAX_MEDIA_BYTES", 1024)

    found = list_faults(write(tmp_path, {"sample/media/big.svg": SVG + " " * 1024}))

    assert "sample/media/big.svg: Keep this file under 1 KB." in found


def test_an_empty_folder_is_refused(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()

    assert "There is no module in this folder" in list_faults(empty)[0]


@pytest.mark.parametrize("files", [{"sample/module.toml": None}, {}])
def test_one_module_is_read_alone(database, tmp_path, files):
    folder = write(tmp_path, files) / "sample"

    found = list_faults(folder)

    assert found == (
        ["sample/module.toml: This file is missing. A module's folder needs it."] if files else []
    )


AID = '+++\ntitle = "In the field"\n+++\n\n'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("## One\n\n#### Two\n\nDo.\n", "line 7: This heading skips a level. Write ### before it."),
        ("### One\n\nDo.\n", "line 5: This heading skips a level. Write ## before it."),
        ("# One\n\n### Two\n\nDo.\n", "line 7: This heading skips a level. Write ## before it."),
        ("> ## One\n\n###### Two\n\nDo.\n", "line 7: This heading skips a level. Write ### before it."),
        ("##\n\nDo.\n", "line 5: This heading is empty. Write its words, or take it out."),
        ("Do.\n\n- Smile 𓀀\n", "line 7: “𓀀” (U+13000 egyptian hieroglyph a001) cannot be shown in the PDF."),
    ],
)
def test_a_job_aid_that_no_accessible_pdf_can_be_made_of(tmp_path, body, said):
    (told,) = list_faults(write(tmp_path, {"sample/job-aid.md": AID + body}))

    assert told.startswith(f"sample/job-aid.md, {said}")


def test_a_job_aid_with_every_thing_that_a_text_may_hold(tmp_path):
    body = (
        "# One\n\n## Two\n\n1. Call [them](https://x.example), *then* **wait**.\n   - In a list\n\n"
        "> Quoted\n\n::: inset\nSet in\n:::\n\n::: details More\nFolded\n:::\n\n::: warning\nCare\n:::\n\n"
        "| A | B |\n| - | -: |\n| 1 | |\n\n```\n#let x = 1\n```\n\n## Three\n\nŽlutý kůň, Ωμέγα, Привет\n"
    )

    assert list_faults(write(tmp_path, {"sample/job-aid.md": AID + body})) == []
