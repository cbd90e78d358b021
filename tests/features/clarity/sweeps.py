"""“Was this clear?” in the tests over all pages, acts and commands."""

from tests.journeys.visiting import AUTHOR, Place
from tests.pages.access.shown import NOBODY, OWN

PLACES = {
    "clarity.show_own_answers": Place(("/learning/clear",)),
    "clarity.show_answers": Place(("/authoring/protect/clear",), AUTHOR),
}
ROUTES = {
    "clarity.show_answers": NOBODY,
    "clarity.reply_to_learner": NOBODY,
    "clarity.show_own_answers": OWN,
    "clarity.erase_own_answer": OWN,
    "clarity.say_lesson_was_clear": OWN,
    "clarity.say_item_was_clear": OWN,
}
ADDRESSES = {page: {"key": "protect"} for page in ("clarity.show_answers", "clarity.reply_to_learner")}
WITHOUT_ENTRY = dict.fromkeys(
    ("clarity.erase_own_answer", "clarity.say_item_was_clear", "clarity.say_lesson_was_clear"),
    "said without a name: an entry would give it (docs/decisions/content.md)",
)
