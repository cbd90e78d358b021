"""A difference is told with its lines, who meets it and where; what varies by itself is none."""

import io
import zipfile
from pathlib import Path

import pytest

from tests.golden.comparing import compare, describe
from tests.golden.contents import name_variants, read_content
from tests.golden.writing import Record


def record_of(folder: Path, **pages: str) -> Path:
    record = Record(folder)
    for name, words in pages.items():
        record.write(f"pages/{name}", f"D1001, learner: GET /{name}", words)
    return folder


def test_what_is_the_same_on_many_pages_is_told_once_with_its_places(tmp_path):
    before = {"desk": "Home\nYour work", "help": "Home\nHelp", "gone": "Home"}
    after = {"desk": "Start\nYour work", "help": "Start\nHelp"}

    differences = compare(record_of(tmp_path / "kept", **before), record_of(tmp_path / "new", **after))

    assert list(describe(differences)) == [
        "- Home",
        "+ Start",
        "    D1001, learner: GET /desk, line 2",
        "    D1001, learner: GET /help, line 2",
        "",
        "- a text of 1 lines: Home",
        "    D1001, learner: GET /gone",
        "",
        "2 differences in 3 texts.",
    ]


def test_a_folder_without_a_record_is_not_equal_to_anything(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no record"):
        compare(tmp_path / "none", record_of(tmp_path / "new", desk="Home"))


@pytest.mark.parametrize(
    "words",
    [
        '<input type="hidden" name="csrf_token" value="{0}{0}">',
        "/people/{0}-{1}-{1}-{1}-{0}{1}",
        "at 08:00:00.{2}",
        "/static/portal.{0}{0}.css",
    ],
)
def test_what_varies_by_itself_has_one_name(words):
    one = words.format("a1b2c3d4", "4444", "000014")
    other = words.format("d4c3b2a1", "5555", "000015")

    assert one != other
    assert name_variants(one) == name_variants(other)


@pytest.mark.parametrize(
    "words", ["govuk-summary-card__actions-list-item--with-a-long-name-2", "/a/b/c-2026-04-30", "2026-06-10"]
)
def test_what_does_not_vary_is_kept(words):
    assert name_variants(words) == words


def test_space_that_shows_nothing_is_no_difference_and_space_that_shows_is_one():
    kept = read_content("text/html", b"<p>\n  Two <b>words</b> here\n</p><pre>a  b</pre>")

    assert kept == "<p>\nTwo <b>words</b> here\n</p>\n<pre>\na  b\n</pre>"
    assert kept == read_content("text/html", b"<p >Two\n<b>words</b>  here</p>  <pre>a  b</pre>")
    assert kept != read_content("text/html", b"<p>Two<b>words</b> here</p><pre>a  b</pre>")
    assert kept != read_content("text/html", b"<p>Two <b>words</b> here</p><pre>a b</pre>")


def test_an_archive_is_read_member_by_member():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("b.json", '{"n": 1}')
        archive.writestr("a.csv", "x,y\n")

    assert read_content("application/zip", held.getvalue()) == '=== a.csv\nx,y\n\n=== b.json\n{\n "n": 1\n}'
