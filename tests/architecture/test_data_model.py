"""The drawn data model is that of the models, and the page of personal data that of the register."""

from docs import draw_personal_data
from docs.draw_data_model import PAGE, draw
from portal.platform.db import Base


def test_the_data_model_is_that_of_the_models():
    assert PAGE.read_text(encoding="utf-8") == draw(), "docs/data-model.md is stale: run `make data-model`"


def test_every_table_is_drawn():
    drawn = draw().splitlines()

    assert [name for name in Base.metadata.tables if f"    {name} {{" not in drawn] == []


def test_the_page_of_personal_data_is_that_of_the_register():
    page = draw_personal_data.PAGE.read_text(encoding="utf-8")

    assert page == draw_personal_data.draw(), "docs/personal-data.md is stale: run `make data-model`"
