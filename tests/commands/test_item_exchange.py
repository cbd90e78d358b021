"""The commands modules import-items and export-items."""

import pytest
from click.testing import Result

from portal.domain.authoring import queries
from portal.domain.catalogue import services as catalogue
from portal.platform.db import stamp, transaction
from tests.domain.authoring.item_exchange.foreign_files import BANK, SINGLE, moodle
from tests.domain.catalogue.folders import tree, write
from tests.pages.account.browsing import make_account


@pytest.fixture
def run(app, database):
    def command(*arguments: object) -> Result:
        return app.test_cli_runner().invoke(args=["modules", *map(str, arguments)])

    return command


@pytest.mark.slow
def test_questions_come_into_a_folder_and_again_change_nothing(run, tmp_path):
    folder, file = write(tmp_path / "modules") / "sample", tmp_path / "bank.txt"
    file.write_bytes(BANK)
    before = tree(folder)

    looked = run("import-items", file, "--module", folder, "--dry-run")
    assert (looked.exit_code, tree(folder)) == (0, before), looked.stderr
    assert "1. Colour\n   single, “Colour”, outcome: see\n" in looked.stdout
    assert "7. Essay\n   Cannot come: It asks for a text of the learner's own" in looked.stdout
    assert "6 of 9 questions would be added." in looked.stdout
    added = run("import-items", file, "--module", folder)
    after = tree(folder)

    assert "6 of 9 questions were added." in added.stdout
    assert after.keys() - before.keys() == {"items/imported-1.toml"}
    assert {path: after[path] for path in before} == before
    repeated = run("import-items", file, "--module", folder)
    assert "Left out: the bank has it as “Colour”." in repeated.stdout
    assert tree(folder) == after


@pytest.mark.slow
def test_questions_come_into_the_draft_of_the_person_who_is_named(run, tmp_path):
    with transaction():
        catalogue.publish_folder(write(tmp_path / "modules"), at=stamp())
    make_account("D3001")
    file = tmp_path / "bank.xml"
    file.write_bytes(moodle(SINGLE))

    nobody = run("import-items", file, "--module", "sample")
    no_outcome = run("import-items", file, "--module", "sample", "--by", "D3001")
    looked = run("import-items", file, "--module", "sample", "--by", "D3001", "--outcome", "see", "--dry-run")
    assert (nobody.exit_code, no_outcome.exit_code, looked.exit_code) == (1, 1, 0)
    assert "Say with --by who adds them" in nobody.stderr
    assert "Choose an outcome with --outcome: see, say." in no_outcome.stderr
    assert queries.open_draft_id("sample") is None
    added = run("import-items", file, "--module", "sample", "--by", "D3001", "--outcome", "see")

    assert added.exit_code == 0, added.stderr
    assert "items/imported-1.toml" in queries.get_draft("sample").files


def test_a_file_of_another_format_or_with_an_entity_is_refused(run, tmp_path):
    folder, file = write(tmp_path / "modules") / "sample", tmp_path / "bank.xml"
    before = tree(folder)

    for content, sentence in (
        (moodle(SINGLE), "This file is Moodle XML, not QTI."),
        (b"<!DOCTYPE quiz [<!ENTITY a 'b'>]><quiz/>", "document type"),
    ):
        file.write_bytes(content)
        refused = run("import-items", file, "--module", folder, "--format", "qti")
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert sentence in refused.stderr
    assert tree(folder) == before


@pytest.mark.parametrize("form", ["qti3", "moodle"])
def test_questions_go_out_and_come_back_into_an_empty_bank(run, tmp_path, form):
    folder, file = write(tmp_path / "modules") / "sample", tmp_path / "out"
    bank = {path.name: path.read_bytes() for path in (folder / "items").glob("*.toml")}

    out = run("export-items", folder, file, "--format", form)
    for name in bank:
        (folder / "items" / name).unlink()
    back = run("import-items", file, "--module", folder)

    assert (out.exit_code, back.exit_code) == (0, 0), out.stderr + back.stderr
    assert "questions written to" in out.stdout
    assert list(tree(folder / "items")) == ["imported-1.toml"]
    assert run("check", folder.parent).stderr.count("is missing") == 0
