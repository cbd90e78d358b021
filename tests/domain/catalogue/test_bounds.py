"""The outer bounds of the format: too much, too little, links, and names that nothing could be called by."""

import pytest

from portal.domain.catalogue import services, source_files
from tests.domain.catalogue.folders import CHECK, GLOSSARY, ITEM, MODULE, SOURCES, lesson, sample, write
from tests.domain.catalogue.kinds_written import item

FORCE = str(sample()["_force.toml"])
PARTS = item("report").split("[[item.part]]")
CHOICE = """
[[item.scene.choice]]
key = "more-{0}"
text = "More {0}"
to = "safe"
weight = 1
feedback = "So {0}."
"""
SCENE = '\n[[item.scene]]\nkey = "more-{0}"\ntext = "More {0}."\n'
ONE_CHOICE = ITEM.format(key="one", outcome="see").partition('\n[[item.choice]]\nkey = "b"')[0]


def list_faults(folder, changes) -> list[str]:
    return services.check_folder(write(folder, changes)).faults.sentences()


def bank_file(text: str) -> dict[str, str]:
    return {"sample/items/bank.toml": f"{text}\n{ITEM.format(key='two', outcome='say')}"}


def insert_after(kind: str, mark: str, more: str) -> dict[str, str]:
    """The item with more of something behind a mark."""
    text = item(kind)
    assert mark in text
    return bank_file(text.replace(mark, f"{mark}{more}", 1))


def replace_once(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


MANY_PARTS = PARTS[0] + "".join(
    f"[[item.part]]{PARTS[1].replace('source', f'source-{n}')}" for n in range(21)
)
MANY_RIGHTS = ", ".join(f'"Right {n}"' for n in range(19))
CALL = 'to = "safe"\nweight = 1\nfeedback = "It is on its way."\n'


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"sample/module.toml": replace_once(MODULE, '["first", "second"]', "[]")},
            "sample/module.toml, line 1: A module needs at least one lesson.",
        ),
        (
            {"sample/lessons/first.md": lesson(CHECK, "")},
            "sample/lessons/first.md, line 2: Name at least one outcome that the lesson covers.",
        ),
        (
            {"sample/job-aid.md": f'+++\ntitle = "Aid"\n+++\n\nDo.\n\n{CHECK}'},
            "sample/job-aid.md, line 8: Only a lesson can have a check. Take it out.",
        ),
        (
            {"sample/module.toml": "assessment = 2\n" + MODULE.partition("[assessment]")[0]},
            "“assessment” needs a table headed [assessment].",
        ),
        (
            {"sample/module.toml": replace_once(MODULE, "draw = 2", 'draw = 2\ntest_out = "yes"')},
            "sample/module.toml, line 20: “test_out” needs true or false.",
        ),
        (
            {"_glossary.toml": replace_once(GLOSSARY, 'key = "', 'key = "<')},
            "is not a term. Use letters, digits,",
        ),
        (
            {"_force.toml": replace_once(FORCE, 'key = "', 'key = "Of ')},
            "Write the key in small letters, digits and",
        ),
        (
            {"_sources.toml": replace_once(SOURCES, 'kind = "primary"', 'kind = "hearsay"')},
            "“hearsay” is not a kind",
        ),
        (bank_file(ONE_CHOICE), "line 1: The item “one” needs two or more choices."),
        (
            bank_file(replace_once(ONE_CHOICE, '"single"', '"multiple"')),
            "The item “one” needs two or more choices.",
        ),
        (
            bank_file(replace_once(item("match"), '["Nobody"]', f"[{MANY_RIGHTS}]")),
            "line 8: Offer at most 20 right sides.",
        ),
        (bank_file(MANY_PARTS), "Keep the report “one” to 20 parts."),
        (
            insert_after("scenario", CALL, "".join(CHOICE.format(n) for n in range(7))),
            "The scene “voices” has 9 choices. Offer at most 8.",
        ),
        (
            bank_file(item("scenario") + "".join(SCENE.format(n) for n in range(36))),
            "Keep the scenario “one” under 41 scenes.",
        ),
        (
            {"_guides": "Not a folder."},
            "_guides: This must be a folder with one Markdown file for each guide.",
        ),
    ],
)
def test_what_is_out_of_bounds_is_refused(tmp_path, changes, said):
    found = list_faults(tmp_path, changes)

    assert any(said in sentence for sentence in found), found


@pytest.mark.parametrize(
    "changes",
    [
        bank_file(replace_once(item("match"), '["Nobody"]', f"[{MANY_RIGHTS.partition(', ')[2]}]")),
        insert_after("scenario", CALL, "".join(CHOICE.format(n) for n in range(6))),
    ],
)
def test_what_is_just_within_them_is_taken(tmp_path, changes):
    assert list_faults(tmp_path, changes) == []


def test_a_module_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(source_files, "MAX_FILES", 5)

    found = list_faults(tmp_path, {})

    assert "sample: Keep this folder under 5 files and 256 MB." in found


def test_a_link_in_place_of_a_shared_file_is_not_followed(tmp_path):
    write(tmp_path)
    (tmp_path / "elsewhere.toml").write_text(SOURCES)
    (tmp_path / "_sources.toml").unlink()
    (tmp_path / "_sources.toml").symlink_to(tmp_path / "elsewhere.toml")

    found = services.check_folder(tmp_path).faults.sentences()

    assert "_sources.toml: Links are not followed. Put the file itself here." in found


def test_a_folder_that_no_address_could_hold_is_no_module(database, tmp_path):
    write(tmp_path, {"sample/module.toml": replace_once(MODULE, '"sample"', '"Sam ple"')})
    (tmp_path / "sample").rename(tmp_path / "Sam ple")

    found = services.check_folder(tmp_path / "Sam ple").faults.sentences()

    assert any("Name the folder with small letters, digits and single hyphens." in each for each in found)
