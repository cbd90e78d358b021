"""Publishing of exercises: any folder comes back byte for byte, once, and older versions never change."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.features.exercises import versions
from portal.features.exercises.sources import SHEETS, open_exercise, pack_exercise, refuse_paths
from portal.features.exercises.versions import publish_exercise_folder
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, NotFoundError
from portal.platform.formats.toml_tables import Faults
from tests.domain.catalogue.folders import tree
from tests.examples import IN_ONE_TRANSACTION, few_or_many
from tests.features.exercises.folders import EXERCISE, write_exercises

KEY = "short-night"
# Without what begins a link: "<A0:>" is one in Markdown, and a link to no known place is refused.
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff<["), max_size=80
)
TITLES = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=40)


def publish(folder) -> list[tuple[str, int]]:
    with transaction():
        return publish_exercise_folder(folder, at=clock.now()).versions


def test_a_folder_is_published_once_and_again_when_a_byte_changes(database, tmp_path):
    folder = write_exercises(tmp_path)

    assert publish(folder) == [(KEY, 1)]
    assert publish(folder) == []
    (folder / KEY / "debrief.md").write_text("What now?\n")
    assert publish(folder / KEY) == [(KEY, 2)]
    old, new = versions.numbered_version(KEY, 1), versions.newest_version(KEY)
    assert "differently tonight" in old.content["debrief_html"]
    assert "What now?" in new.content["debrief_html"]
    assert versions.version_files(old.id)["debrief.md"].startswith(b"What would")
    assert [(line.number, line.published_by) for line in versions.list_versions(KEY)] == [(2, ""), (1, "")]
    assert [(line.key, line.number) for line in versions.list_newest_versions()] == [(KEY, 2)]


def test_nothing_is_written_where_one_of_two_has_a_fault(database, tmp_path):
    folder = write_exercises(tmp_path)
    write_exercises(tmp_path, {"debrief.md": None}, key="other-night")

    with pytest.raises(BadInputError, match="There is no such file, or nothing in it"):
        publish(folder)

    assert versions.list_newest_versions() == []


def test_a_medium_is_found_by_its_hash_and_name_alone(database, tmp_path):
    publish(write_exercises(tmp_path))
    shown = versions.newest_version(KEY).content["injects"][0]["html"]
    sha256, name = re.findall(r'src="/exercises/media/([^/]+)/([^"]+)"', shown)[0]

    assert versions.exercise_medium(sha256, name).startswith(b"<svg")
    with pytest.raises(NotFoundError):
        versions.exercise_medium(sha256, "call.wav")
    with pytest.raises(NotFoundError):
        versions.exercise_medium("0" * 64, name)


@pytest.mark.slow
@settings(max_examples=few_or_many(10, 25), suppress_health_check=IN_ONE_TRANSACTION)
@given(
    title=TITLES,
    end=st.sampled_from(["", "\n", "\n\n\n", "  "]),
    texts=st.lists(WORDS, min_size=3, max_size=3),
    pictures=st.dictionaries(st.from_regex(r"[a-z][a-z0-9\-]{0,9}", fullmatch=True), st.binary(max_size=200)),
)
def test_any_folder_comes_back_byte_for_byte(database, tmp_path_factory, title, end, texts, pictures):
    changes = {"exercise.toml": EXERCISE.replace("A short night", title) + end}
    changes |= dict(zip(SHEETS, (f"Text: {text}{end}" for text in texts), strict=True))
    changes |= {f"media/{name}.png": b"\x89PNG\r\n\x1a\n" + content for name, content in pictures.items()}
    folder = write_exercises(tmp_path_factory.mktemp("any"), changes)
    files = tree(folder / KEY)

    publish(folder)

    assert versions.version_files(versions.newest_version(KEY).id) == files
    assert open_exercise(pack_exercise(KEY, files)) == (KEY, files)


def test_paths_are_allowed_by_name():
    faults = Faults()
    paths = ["exercise.toml", "injects/a/b.md", "../x.md", "injects/a.toml"]

    refuse_paths(KEY, dict.fromkeys(paths, b""), faults)

    assert [fault.path for fault in faults.listed()] == [
        "short-night/../x.md",
        "short-night/injects/a.toml",
        "short-night/injects/a/b.md",
    ]
