"""A lesson that is a picture with places, whole; a test changes only what it is about."""

from portal.domain.item_kinds import case_kinds_by_name
from portal.domain.item_kinds.base import Content, ShownDrawing
from portal.platform.formats.toml_tables import Faults, Source
from tests.domain.catalogue.kinds_written import Plain

WIDE, NARROW = (
    f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<title>A yard</title>
<desc>A gate, a bin and a door.</desc>
<rect width="{width}" height="{height}" fill="#ffffff"/>
</svg>
"""
    for width, height in ((600, 300), (300, 400))
)
PICTURE = """title = "A yard"
minutes = 3
outcomes = ["see", "say"]
kind = "picture"
prompt = "Which places do you look at twice?"
explanation = "Because it is so. It is."
situation = "It is 06:00 on a **cold** morning."
picture = "media/yard.svg"
debrief = "Two places tell of people."

[[place]]
key = "gate"
label = "The gate"
text = "It is locked from outside."
at = [20, 20, 100, 60]
narrow = [10, 10, 60, 60]
matters = true
feedback = "Somebody may not come out."

[[place]]
key = "bin"
label = "The bin"
text = "It is full."
at = [200, 20, 100, 60]
narrow = [100, 10, 60, 60]
feedback = "Bins are full."

[[place]]
key = "door"
label = "The door"
text = "A light is on behind it."
at = [400, 20, 100, 60]
narrow = [200, 10, 60, 60]
matters = true
feedback = "Somebody is in there."
"""
FILES: dict[str, str | bytes | None] = {
    "sample/lessons/first.md": None,
    "sample/lessons/first.toml": PICTURE,
    "sample/media/yard.svg": WIDE,
    "sample/media/yard.narrow.svg": NARROW,
}


class Drawn(Plain):
    """Leaves texts as they were written, and knows one drawing."""

    def __init__(self) -> None:
        self.faults = Faults()

    def find_drawing(self, path: str, line: int) -> ShownDrawing | None:
        """The drawing of the lesson above; None of any other."""
        narrow = ShownDrawing("/narrow", 300, 400, "A yard", "")
        return ShownDrawing("/wide", 600, 300, "A yard", "", narrow) if path == "media/yard.svg" else None

    def add_fault(self, line: int, reason: str) -> None:
        """Keep the fault."""
        self.faults.add("first.toml", line, reason)


def picture_content() -> Content:
    """What a version keeps of the lesson."""
    root = Source(PICTURE, "first.toml", Faults()).root()
    assert root is not None
    kind = case_kinds_by_name()["picture"]
    return kind.render_content(kind.read_content(root, "first", ""), Drawn())
