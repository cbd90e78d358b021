"""The library lists modules as the force asks for them, never by the accident of their names."""

from datetime import date

from portal.domain.learning.queries import modules_in_order
from tests.factories.catalogue import make_version
from tests.pages.learning.asking import ask
from tests.pages.learning.working import learner

DAY = date(2026, 3, 1)


def library_keys(day: date = DAY) -> list[str]:
    return [version.activity.key for version in modules_in_order(day)]


def publish(*slugs: str) -> None:
    for slug in slugs:
        make_version(slug)


def test_the_page_lists_modules_as_the_directive_does(client):
    publish("protect", "recognise", "report", "respond")
    ask("recognise", "protect", "respond", "report")
    learner(client)

    page = client.page("/modules")

    found = [address.rsplit("/", 1)[-1] for address in page.links.values() if "/learning/modules/" in address]
    assert found == ["recognise", "protect", "respond", "report"]


def test_the_earliest_place_in_any_directive_counts_and_the_rest_come_by_title(database):
    publish("alpha", "beta", "gamma", "delta", "extra")
    ask("delta", "gamma")
    ask("beta", "delta", reference="OTHER")

    assert library_keys() == ["beta", "delta", "gamma", "alpha", "extra"]


def test_only_the_version_in_force_speaks(database):
    publish("alpha", "beta", "gamma")
    ask("gamma", "beta", effective="2025-09-01")
    ask("gamma", "beta", "alpha", effective="2026-06-01")
    ask("alpha", reference="LATER", effective="2027-01-01")

    assert library_keys() == ["gamma", "beta", "alpha"]
    assert library_keys(date(2025, 1, 1)) == ["alpha", "beta", "gamma"]
    assert library_keys(date(2027, 2, 1)) == ["alpha", "gamma", "beta"]


def test_nothing_published_is_an_empty_list(database):
    assert library_keys() == []
