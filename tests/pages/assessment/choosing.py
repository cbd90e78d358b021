"""Choosing as a person does: by the words beside a box."""

from portal.domain.catalogue.models import Item
from tests.page_reading import Page, words


def values_by_label(page: Page) -> dict[str, str]:
    """What the form sends for each box, by the words beside it."""
    ids = {box.get("id"): box.get("value") or "" for box in page.all("input")}
    return {words(label): ids[label.get("for")] for label in page.all("label") if label.get("for") in ids}


def values_of_labels(page: Page, *beginnings: str) -> list[str]:
    """What the form sends for the boxes whose words begin so."""
    return [
        next(value for text, value in values_by_label(page).items() if text.startswith(beginning))
        for beginning in beginnings
    ]


def values_of_keys(page: Page, item: Item, keys: list[str]) -> list[str]:
    """What the form sends for the choices of these keys of an item made by ``tests.factories.catalogue``."""
    assert page.h1.startswith(f"Prompt {item.position} of")
    return values_of_labels(page, *(f"Choice {key} " for key in keys))


def ticked_labels(page: Page) -> list[str]:
    """The words beside the boxes that are ticked."""
    values = {box.get("value") for box in page.all("input") if box.get("checked") is not None}
    return [text for text, value in values_by_label(page).items() if value in values]
