"""The manifest of spaced recall."""

from portal.feature import Feature, MailKind, OwnData, Part

FEATURE = Feature(
    name="recall",
    title="Recall: three questions some time after a pass, for the learner alone",
    blueprints=("views:bp",),
    models="models",
    parts=(
        Part("learning.home.before_tasks", "views:show_card"),
        Part("authoring.statistics", "views:link_for_authors"),
    ),
    mails=(
        MailKind(
            "recall",
            "mails:compose_recall",
            "Three questions about a module that you passed",
            title="Do you still know it?",
            private=True,
            plan="mails:queue_recall_mails",
        ),
    ),
    personal_data="personal_data:TABLES",
    own_data=(OwnData("models:OF_ACCOUNT", "services:erase_answers"),),
)
