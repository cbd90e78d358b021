"""The library, the glossary, the sources and the media, as a learner meets them."""

from hashlib import sha256
from pathlib import Path

import pytest

from portal.domain.catalogue import services
from portal.domain.catalogue.version_cache import current_version
from portal.platform.db import stamp, transaction
from tests.domain.catalogue.folders import SVG, write
from tests.pages.account.browsing import let_in, make_account

MODULES = Path(__file__).resolve().parents[3] / "modules"


@pytest.fixture
def learner(client):
    make_account()
    let_in(client)
    return client


def publish(folder) -> None:
    with transaction():
        services.publish_folder(folder, at=stamp())


def test_the_library_lists_every_module(learner):
    publish(MODULES)

    page = learner.page("/modules")

    assert page.h1 == "Modules"
    for key in ("recognise", "protect", "respond", "report"):
        version = current_version(key)
        assert version is not None
        assert page.links[version.title] == f"/learning/modules/{key}"
        assert version.aim in page.text


@pytest.mark.slow
def test_the_glossary_and_the_sources_show_what_is_published(learner):
    publish(MODULES)

    glossary = learner.page("/glossary")
    sources = learner.page("/sources")

    assert "Organised immigration crime. Individuals or networks" in glossary.text
    assert glossary.all("dt", id="term-modern-slavery")
    assert "Response to the inspection report on organised immigration crime" in sources.text
    assert "25 November 2026" in sources.text


@pytest.mark.parametrize("path", ["/modules", "/glossary", "/sources"])
def test_an_empty_page_says_what_will_be_there(learner, path):
    assert "published yet" in learner.page(path).text


@pytest.mark.parametrize("path", ["/modules", "/glossary", "/sources", f"/media/{'0' * 64}/x.svg"])
def test_nobody_reads_them_without_signing_in(client, path):
    response = client.get(path)

    assert response.status_code in {302, 303}
    assert "/sign-in" in response.location


def address(name: str) -> str:
    version = current_version("sample")
    assert version is not None
    html = version.lessons[0].html
    start = html.index('src="/media/') + 5
    return html[start : html.index('"', start)].rpartition("/")[0] + f"/{name}"


def figured(folder):
    body = '+++\ntitle = "A"\nminutes = 1\noutcomes = ["see"]\n+++\n::: figure media/box.svg\nA box.\n:::\n'
    return write(folder, {"sample/lessons/first.md": body})


def test_a_drawing_is_served_with_a_policy_of_its_own(learner, tmp_path):
    publish(figured(tmp_path))

    response = learner.get(address("box.svg"))

    assert response.status_code == 200
    assert response.get_data(as_text=True) == SVG
    assert response.headers["Content-Type"] == "image/svg+xml; charset=utf-8"
    assert response.headers.get_all("Content-Security-Policy") == [
        "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    ]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "private, max-age=31536000, immutable"


def test_an_older_drawing_stays_where_it_was(learner, tmp_path):
    publish(figured(tmp_path))
    old = address("box.svg")
    publish(write(tmp_path, {"sample/media/box.svg": SVG.replace("A drawing", "Another")}))

    assert learner.get(old).get_data(as_text=True) == SVG


@pytest.mark.parametrize("name", ["other.svg", "..%2Fmodule.toml", "box.html"])
def test_a_file_has_no_other_name(learner, tmp_path, name):
    publish(figured(tmp_path))

    assert learner.get(address(name)).status_code == 404


def test_what_is_no_medium_is_not_served(learner, tmp_path):
    publish(figured(tmp_path))
    content = (tmp_path / "sample/module.toml").read_bytes()

    assert learner.get(f"/media/{sha256(content).hexdigest()}/module.toml").status_code == 404
