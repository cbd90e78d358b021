"""The manifest of answer packs."""

from portal.feature import ActText, Feature, Part
from portal.features.assurance.feature import VIEW

_FILES = "files"  # the group of acts on files of people

FEATURE = Feature(
    name="packs",
    title="Answer packs: the force’s reply to an inspection as one file",
    needs=("assurance",),
    blueprints=("views:bp",),
    tasks=("services:TASKS",),
    parts=(
        Part("assurance.board", "views:link_from_board", VIEW),
        Part("assurance.recommendation", "views:link_from_recommendation", VIEW),
        Part("report.pack", "commands:export_answer_pack"),
    ),
    acts={
        "answer_pack.exported": ActText(
            _FILES, "Made an answer pack of the recommendation {recommendation}[, {people}]"
        ),
        "answer_pack.downloaded": ActText(
            _FILES, "Downloaded an answer pack of the recommendation {recommendation}[, {name}]"
        ),
    },
)
