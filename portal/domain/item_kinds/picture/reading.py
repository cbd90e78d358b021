"""Reading of pictures with places, as written by their authors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portal.domain.item_kinds.base import ShownDrawing
from portal.platform.formats.toml_tables import Table, read_key

MIN_PLACES, MAX_PLACES = 3, 12  # the style sheet knows twelve
SMALLEST_TARGET = 24  # CSS pixels
NARROWEST = 288, 577  # CSS pixels: the width of the drawing for phones at 320, and of the other from 641


@dataclass(frozen=True)
class Area:
    """A rectangle in the units of a drawing."""

    left: int
    top: int
    width: int
    height: int

    def is_within(self, drawing: ShownDrawing) -> bool:
        """Whether no part of it lies outside the drawing."""
        return self.left + self.width <= drawing.width and self.top + self.height <= drawing.height

    def overlaps(self, other: "Area") -> bool:
        """Whether the two have more than an edge in common."""
        beside = self.left + self.width <= other.left or other.left + other.width <= self.left
        above = self.top + self.height <= other.top or other.top + other.height <= self.top
        return not (beside or above)


@dataclass(frozen=True)
class PlaceText:
    """One place as written: where it is in the drawing, what is seen there, and what it tells."""

    key: str
    label: str
    text: str
    at: Area | None  # None: not readable
    narrow: Area | None  # in the drawing for phones
    matters: bool
    feedback: str
    table: Table


@dataclass(frozen=True)
class PictureText:
    """The content of a lesson of kind picture, as written."""

    situation: str
    picture: str  # media/name.svg
    debrief: str
    places: tuple[PlaceText, ...]
    table: Table


def read_picture(table: Table, key: str, prefix: str) -> PictureText:
    """Read the situation and the places in the author's order."""
    situation, picture, debrief = table.text("situation"), table.text("picture"), table.text("debrief")
    places: list[PlaceText] = []
    for row in table.tables("place", f"[[{prefix}place]]"):
        place = _read_place(row)
        if place.key and any(place.key == other.key for other in places):
            row.fault("key", f"The key “{place.key}” is used twice in this picture. Give each place its own.")
        if place.label and any(place.label == other.label for other in places):
            row.fault("label", f"Two places are called “{place.label}”. Give each a name of its own.")
        places.append(place)
    _check_places(table, key, places)
    return PictureText(situation, picture, debrief, tuple(places), table)


def _read_place(row: Table) -> PlaceText:
    place = PlaceText(
        key=read_key(row),
        label=row.text("label"),
        text=row.text("text"),
        at=_read_area(row, "at"),
        narrow=_read_area(row, "narrow") if row.has("narrow") else None,
        matters=row.flag("matters"),
        feedback=row.text("feedback"),
        table=row,
    )
    row.close()
    return place


def _read_area(row: Table, key: str) -> Area | None:
    numbers = row.whole_numbers(key, 4)
    return Area(*numbers) if numbers else None


def _check_places(table: Table, key: str, places: Sequence[PlaceText]) -> None:
    if not places:
        return  # the table has this fault already
    if not MIN_PLACES <= len(places) <= MAX_PLACES:
        reason = f"The picture “{key}” has {len(places)} places. Mark {MIN_PLACES} to {MAX_PLACES}."
        table.fault("place", reason)
    matter = sum(place.matters for place in places)
    if not matter:
        reason = f"No place of the picture “{key}” matters. Write matters = true at those that do."
        table.fault("place", reason)
    elif matter == len(places):
        reason = f"Every place of the picture “{key}” matters. Add one that tells nothing."
        table.fault("place", reason)


def area_faults(written: PictureText, drawing: ShownDrawing) -> Iterator[tuple[int, str]]:
    """Yield the line and reason of each place that does not fit the drawing, or its version for phones."""
    yield from _faults_in(written, drawing, "at", NARROWEST[1])
    narrow = drawing.narrow
    for place in written.places:
        if narrow is None and place.narrow is not None:
            reason = "There is no drawing for phones. Take “narrow” out, or add name.narrow.svg."
            yield place.table.line_of("narrow"), reason
        elif narrow is not None and not place.table.has("narrow"):
            reason = f"Say under “narrow” where “{place.label}” is in the drawing for phones."
            yield place.table.line, reason
    if narrow is not None:
        yield from _faults_in(written, narrow, "narrow", NARROWEST[0])


def _faults_in(
    written: PictureText, drawing: ShownDrawing, name: str, shown_width: int
) -> Iterator[tuple[int, str]]:
    least = -(-SMALLEST_TARGET * drawing.width // shown_width)  # rounded up
    earlier: list[tuple[PlaceText, Area]] = []
    for place in written.places:
        area = place.at if name == "at" else place.narrow
        if area is None:
            continue
        line = place.table.line_of(name)
        if not area.is_within(drawing):
            size = f"{drawing.width} wide and {drawing.height} high"
            yield line, f"“{place.label}” lies outside the drawing, which is {size}. Move it."
        if min(area.width, area.height) < least:
            yield line, f"“{place.label}” is too small for a finger. Make it {least} or more each way."
        for other, other_area in earlier:
            if area.overlaps(other_area):
                yield line, f"“{place.label}” and “{other.label}” overlap. Move one of them."
        earlier.append((place, area))
