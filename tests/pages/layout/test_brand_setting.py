"""The force's colour is a setting: on every page, and refused at the start where it could not be read."""

from pathlib import Path

import pytest

from config import Config, ConfigError
from tests.databases import portal_on
from tests.page_reading import Page


def settings(instance: Path, monkeypatch: pytest.MonkeyPatch, colour: str) -> Config:
    monkeypatch.setenv("BRAND_COLOUR", colour)
    return Config(mode="demo", secret_key="k" * 32, instance=instance)


def test_the_colour_of_the_environment_is_on_every_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with portal_on(settings(tmp_path, monkeypatch, "#3B0A45")) as app:
        client = app.test_client()
        page = Page(client.get("/help"), "/help")
        sheet = page.all("link", rel="stylesheet")[-1].get("href") or ""
        answer = client.get(sheet)

    assert page.all("meta", name="theme-color")[0].get("content") == "#3b0a45"
    assert answer.get_data(as_text=True) == ":root{--portal-brand:#3b0a45}\n"


def test_nothing_set_is_deep_navy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(tmp_path, monkeypatch, "").brand_colour == "#14284b"


@pytest.mark.parametrize(("colour", "reason"), [("#ffdd00", "4.5 is needed"), ("navy", "six digits")])
def test_a_colour_that_cannot_be_read_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, colour: str, reason: str
) -> None:
    with pytest.raises(ConfigError, match=f"BRAND_COLOUR: .*{reason}"):
        settings(tmp_path, monkeypatch, colour)
