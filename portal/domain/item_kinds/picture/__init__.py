"""Lessons in which one finds, in a drawing of a place, what one would otherwise walk past.

A run contains ``place/chosen`` or ``place/left`` for each place, so that colleagues' choices can be counted.
"""

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from portal.domain.item_kinds.base import (
    Answer,
    AnswerError,
    Content,
    FormValues,
    ItemKind,
    Renderer,
    scale_mark,
)
from portal.domain.item_kinds.choices import EARLIER_PAGE, key_by_value, value_by_key
from portal.domain.item_kinds.picture import reading
from portal.platform.formats.toml_tables import Table

CHOSEN, LEFT = "chosen", "left"


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place as a page shows it."""

    number: int
    step: str  # ``place/chosen``, as in a run
    value: str  # its form value
    label_html: str
    html: str  # what is seen there
    areas: dict[str, dict[str, int]]  # by drawing: ``wide``, and ``narrow`` if there is one
    matters: bool
    chosen: bool
    feedback_html: str

    @property
    def verdict(self) -> str:
        """How the choice compares with the model: found, missed, extra or left."""
        if self.matters:
            return "found" if self.chosen else "missed"
        return "extra" if self.chosen else "left"


@dataclass(frozen=True, slots=True)
class PictureView:
    """The situation, the drawings and the places."""

    situation_html: str
    debrief_html: str
    drawing: dict[str, Any]  # as ``ShownDrawing``
    places: list[PlaceView]

    def places_by_verdict(self, verdict: str) -> list[PlaceView]:
        """The places with this verdict, in order."""
        return [place for place in self.places if place.verdict == verdict]

    @property
    def drawings(self) -> list[tuple[str, dict[str, Any]]]:
        """The drawing by the name of its areas, and the one for phones, if there is one."""
        narrow = self.drawing["narrow"]
        return [("wide", self.drawing), *([("narrow", narrow)] if narrow else [])]


class PictureKind(ItemKind):
    """A drawing with places to choose: on the picture, or in the list below it."""

    name = "picture"
    label = "Picture with places"
    advice = "For what an eye has to be trained to see."
    position = 7
    usable_as_item = False
    usable_as_case = True

    def read_content(self, table: Table, key: str, prefix: str) -> reading.PictureText:
        """Read the situation and the places."""
        return reading.read_picture(table, key, prefix)

    def render_content(self, written: reading.PictureText, renderer: Renderer) -> Content:
        """Render the texts, and check that every place lies within the drawing."""
        line_of = written.table.line_of
        drawing = renderer.find_drawing(written.picture, line_of("picture")) if written.picture else None
        if drawing is not None:
            for line, reason in reading.area_faults(written, drawing):
                renderer.add_fault(line, reason)
        return {
            "situation_html": renderer.render_block(written.situation, line_of("situation")),
            "debrief_html": renderer.render_block(written.debrief, line_of("debrief")),
            "drawing": asdict(drawing) if drawing else _NO_DRAWING,
            "places": [_render_place(place, renderer) for place in written.places],
        }

    def shufflable_keys(self, content: Content) -> list[str]:
        """Return nothing: the numbers on the picture are the same for everybody."""
        return []

    def countable_choices(self, content: Content) -> list[tuple[str, str, bool]]:
        """List the choice of each place."""
        return [
            (f"{place['key']}/{CHOSEN}", place["label_html"], place["matters"]) for place in content["places"]
        ]

    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """Return the share of the places that were judged as in the model; no learner sees it."""
        right = set(self.best_choices(content)).intersection(choices)
        return scale_mark(Decimal(len(right)), Decimal(len(content["places"])))

    def best_choices(self, content: Content) -> list[str]:
        """Return the places that matter as chosen, the others as left."""
        return _steps(content, [place["key"] for place in content["places"] if place["matters"]])

    def random_choices(self, content: Content, chance: random.Random) -> list[str]:
        """Choose at random as many places as matter."""
        count = sum(place["matters"] for place in content["places"])
        return _steps(content, chance.sample([place["key"] for place in content["places"]], count))

    def read_answer(self, content: Content, order: Sequence[str], form: FormValues) -> Answer:
        """Read the checkboxes; at least one place is to be chosen."""
        keys_by_value = key_by_value([place["key"] for place in content["places"]])
        values = form.get("place", ())
        if not set(values) <= keys_by_value.keys():
            raise AnswerError((EARLIER_PAGE, "place-1"), saved=True)
        if not values:
            raise AnswerError(("Select at least one place", "place-1"))
        return Answer(tuple(_steps(content, [keys_by_value[value] for value in values])))

    def opening_html(self, content: Content) -> str:
        """Return the situation."""
        return str(content["situation_html"])

    def is_complete(self, content: Content, choices: Sequence[str]) -> bool:
        """Whether each place was chosen or left."""
        return len(choices) == len(content["places"])

    def build_view(self, content: Content, order: Sequence[str], answer: Answer) -> PictureView:
        """Return the picture with what was chosen."""
        values = value_by_key([place["key"] for place in content["places"]])
        places = [
            PlaceView(
                number=number,
                step=f"{place['key']}/{CHOSEN}",
                value=values[place["key"]],
                label_html=place["label_html"],
                html=place["html"],
                areas=place["areas"],
                matters=place["matters"],
                chosen=f"{place['key']}/{CHOSEN}" in answer.choices,
                feedback_html=place["feedback_html"],
            )
            for number, place in enumerate(content["places"], 1)
        ]
        return PictureView(content["situation_html"], content["debrief_html"], content["drawing"], places)

    def summarise_answer(self, content: Content, order: Sequence[str], answer: Answer) -> list[str]:
        """Return the places that were chosen, one a line."""
        return [place.label_html for place in self.build_view(content, order, answer).places if place.chosen]


_NO_DRAWING = {"address": "", "width": 1, "height": 1, "title": "", "description": "", "narrow": None}


def _steps(content: Content, chosen_keys: Sequence[str]) -> list[str]:
    keys = [place["key"] for place in content["places"]]
    return [f"{key}/{CHOSEN if key in chosen_keys else LEFT}" for key in keys]


def _render_place(place: reading.PlaceText, renderer: Renderer) -> Content:
    line, areas = place.table.line, {"wide": place.at, "narrow": place.narrow}
    return {
        "key": place.key,
        "label_html": renderer.render_inline(place.label, line),
        "html": renderer.render_inline(place.text, line),
        "areas": {name: asdict(area) for name, area in areas.items() if area is not None},
        "matters": place.matters,
        "feedback_html": renderer.render_inline(place.feedback, line),
    }


KIND = PictureKind()
