"""Parts of lessons for some roles: open for whom they are, folded for others, and read by everything else."""

import pytest

from portal.domain.catalogue.services import publish_folder, set_force_values
from portal.domain.catalogue.version_cache import package_files
from portal.domain.learning.queries import newest_version
from portal.domain.people.staff_numbers import SETTING
from portal.platform import clock
from portal.platform.db import transaction
from tests.domain.catalogue.folders import lesson, write
from tests.domain.catalogue.kinds_written import item
from tests.factories.people import change_role
from tests.page_reading import words
from tests.pages.learning.working import learner
from tests.pages.monitoring.counting import statements

LESSON = "/learning/modules/sample/lessons/second"
TEXT = """Read this.

::: for custody: On arrival
Ask the detained person about the journey, the harbour and the debt.
:::

::: for response contact
Tell the control room.

::: inset
What you see.
:::
:::

::: for supervisors
Count the documents.
:::

::: details More
Further reading.
:::
"""


@pytest.fixture
def reader(client, tmp_path):
    """A module with marked parts is published, and an officer on response has signed in."""
    write(tmp_path, {"sample/lessons/second.md": lesson(TEXT)})
    with transaction():
        publish_folder(tmp_path, at=clock.now())
    client.person = learner(client)
    return client


def parts(page) -> dict[str, bool]:
    """Whether each fold of the lesson is open, by its summary."""
    folds = page.all("details", class_="portal-for")
    return {words(fold[0]): fold.get("open") is not None for fold in folds}


CUSTODY, RESPONSE, SUPERVISORS = "For custody: On arrival", "For response and contact", "For supervisors"


@pytest.mark.parametrize(
    ("role", "rank", "opened"),
    [
        ("response", "Constable", {RESPONSE}),
        ("custody", "Police Staff", {CUSTODY}),
        ("contact", "Sergeant", {RESPONSE, SUPERVISORS}),
        ("investigation", "Detective Constable", set()),
        ("finance", "Sergeant", {CUSTODY, RESPONSE, SUPERVISORS}),
    ],
)
def test_what_is_not_ones_own_is_folded_and_there(reader, role, rank, opened):
    change_role(reader.person, role, rank)

    page = reader.page(LESSON)

    assert parts(page) == {name: name in opened for name in (CUSTODY, RESPONSE, SUPERVISORS)}
    assert "Ask the detained person" in page.text
    assert "More" in [words(fold[0]) for fold in page.all("details") if fold.get("open") is None]


def test_a_force_says_which_of_its_roles_are_meant(reader):
    change_role(reader.person, "Detention")
    assert all(parts(reader.page(LESSON)).values())
    with transaction():
        set_force_values({SETTING + "custody": "detention"}, by=reader.person)

    assert parts(reader.page(LESSON)) == {CUSTODY: True, RESPONSE: False, SUPERVISORS: False}


def test_a_marked_lesson_costs_one_statement_more_and_another_none(reader):
    plain, marked = LESSON.replace("second", "first"), LESSON
    counts = {}
    for path in (plain, marked):
        reader.page(path)
        with statements() as run:
            reader.page(path)
        counts[path] = len(run)

    assert counts[marked] == counts[plain] + 1


def test_a_search_opens_what_it_leads_into_and_keeps_the_rest(reader):
    found = reader.page("/guides?q=harbour")
    address = next(link for link in found.links.values() if link.startswith(LESSON))

    page = reader.page(address.partition("#")[0])

    assert parts(page) == {CUSTODY: True, RESPONSE: True, SUPERVISORS: False}
    assert page.html.count('id="place"') == 1


def test_what_does_not_know_its_reader_has_all_open(reader):
    html = newest_version("sample").lessons[1].html

    assert html.count('<details class="govuk-details portal-for') == html.count('open=""') == 3


def test_the_folder_comes_back_byte_for_byte_and_items_keep_for_whom_they_are(reader, tmp_path):
    marked = item("single", "two", "say").replace("kind =", 'for = [\n  "custody", # the cells\n]\nkind =', 1)
    folder = write(tmp_path / "new", {"sample/items/bank.toml": item("single") + marked})
    with transaction():
        publish_folder(folder, at=clock.now())

    version = newest_version("sample")
    assert [each.duties for each in version.items] == [[], ["custody"]]
    files = {
        path.relative_to(folder / "sample").as_posix(): path for path in (folder / "sample").rglob("*.*")
    }
    assert package_files(version.id) == {name: path.read_bytes() for name, path in files.items()}
