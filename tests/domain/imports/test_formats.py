"""Each format is documented from the columns of its reader, and its example goes in."""

from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import func, select

from docs import draw_formats
from portal.domain.directives import files
from portal.domain.directives.models import DirectiveVersion, Exclusion
from portal.domain.imports.columns import list_formats
from portal.domain.people.models import Post
from portal.domain.records.models import Record
from portal.feature import list_features
from portal.features.dip_samples.models import DipSample
from portal.platform.db import db
from tests.domain.imports.desk import administrator
from tests.domain.imports.rosters import run
from tests.factories.catalogue import make_version

GOES_IN = {  # what an example writes, in this order
    "roster.csv": (Post, 5),
    "directive.toml": (DirectiveVersion, 1),
    "completions.csv": (Record, 2),
    "completions-wide.csv": (Record, 2),  # one of three is in the other example, too
    "exemptions.csv": (Exclusion, 2),
    "dip-samples.csv": (DipSample, 1),
}


def test_the_page_and_the_examples_are_written_from_the_readers_columns():
    stale = "docs/operating/imports.md or docs/examples/imports is stale: run `make data-model`"

    assert draw_formats.PAGE.read_text(encoding="utf-8") == draw_formats.draw(), stale
    texts = {path.name: path.read_bytes().decode() for path in draw_formats.FOLDER.iterdir()}
    assert texts == {form.name: form.example for form in list_formats(list_features())}, stale


@pytest.mark.slow
def test_every_example_goes_in_as_it_is(app, database):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        make_version("respond", title="Respond: at the scene")
        make_version("protect", title="Protect: after the scene")
        commands = {form.name: form.command for form in list_formats(list_features())}
        assert commands.keys() == GOES_IN.keys()
        for name, (table, rows) in GOES_IN.items():
            count = select(func.count()).select_from(table)
            before = db.session.scalar(count)
            words = [draw_formats.FOLDER / name if word == name else word for word in commands[name].split()]
            result = run(app, *words)
            assert result.exit_code == 0, result.stderr
            assert db.session.scalar(count) - before == rows, (name, result.stdout)


@pytest.mark.parametrize("key", files.DIRECTIVE_KEYS, ids=lambda key: key.name)
def test_a_directive_has_the_keys_that_are_needed(key):
    lines = [
        line
        for line in files.write_example().splitlines()
        if line.partition(" =")[0] != key.name.rpartition(".")[2]
    ]
    text = "\n".join(line for line in lines if not line.startswith("#"))
    shared = key.name.partition(".")[0] in (
        "audience",
        "except",
        "due",
    )  # the table needs another of its keys

    try:
        files.read_directive(text.encode())
        is_needed = False
    except files.BadInputError:
        is_needed = True

    assert shared or is_needed == key.required or key.name == "validity.months"


@pytest.mark.slow
def test_examples_are_downloaded_where_files_are_imported(client):
    administrator(client)

    page = client.page(client.page("/imports").links["Formats and examples"])

    for form in list_formats(list_features()):
        response = client.get(page.links[f"Download {form.name}"])
        assert response.data.decode() == form.example
        assert all(column.name in page.text for column in form.columns)
    assert client.get("/imports/formats/other.csv").status_code == 404
