"""The manifest of “Was this clear?”."""

from portal.feature import ActText, DeskSource, Feature, MailKind, OwnData, Part
from portal.platform.permissions import Permission

FEATURE = Feature(
    name="clarity",
    title="Was this clear?: what learners found clear or unclear, and authors’ answers",
    blueprints=("views:bp",),
    models="models",
    desk=(
        DeskSource("bookings", Permission.DRAFT_EDIT, "Authoring", "views:find_words", name="unclear words"),
    ),
    parts=(
        Part("learning.lesson", "views:ask_about_lesson"),
        Part("assessment.answer", "views:ask_about_item"),
        Part("learning.home.after_tasks", "views:show_new_replies"),
        Part("authoring.dashboard", "views:link_to_words"),
        Part("authoring.module", "views:link_for_authors"),
        Part("authoring.statistics", "views:link_for_authors", after="recall"),
    ),
    acts={"clarity.replied": ActText("content", "Answered what a learner found unclear in {module}")},
    mails=(
        MailKind(
            "clarity",
            "mails:compose_reply_mail",
            "An author has answered what you found unclear",
            title="Was this clear?",
            private=True,
        ),
    ),
    personal_data="personal_data:TABLES",
    own_data=(OwnData("models:OF_ACCOUNT", "services:erase_clarity", kept_class="clarity"),),
    kept_classes="retention:CLASSES",
)
