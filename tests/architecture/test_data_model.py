"""The drawn data model is that of the models."""

from docs.draw_data_model import PAGE, draw
from portal.platform.db import Base


def test_the_data_model_is_that_of_the_models():
    assert PAGE.read_text(encoding="utf-8") == draw(), "docs/data-model.md is stale: run `make data-model`"


def test_every_table_is_drawn():
    drawn = draw().splitlines()

    assert [name for name in Base.metadata.tables if f"    {name} {{" not in drawn] == []
