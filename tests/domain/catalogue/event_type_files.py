"""Files of event types for tests: a good one, and copies of it with one thing wrong."""

GOOD = """\
title = "OIC Hydra"
aim = "Decide as a supervisor, and say why."
audience = "Supervisors in response"
owner = "Learning and development"
review_on = 2027-05-31
minutes = 240
facilitators = 2
approval = true
preparation = ["module:protect", "guide:whom-to-call"]

[syndicate]
least = 3
most = 6

[places]
least = 6
most = 24
"""
WITHOUT_SIZES = GOOD.replace("[syndicate]\nleast = 3\nmost = 6\n\n", "")
UNPREPARED = GOOD.replace('preparation = ["module:protect", "guide:whom-to-call"]\n', "")


def event_type_file(*changes: tuple[str, str]) -> bytes:
    """The good file without preparation, with parts of it replaced."""
    text = UNPREPARED
    for old, new in changes:
        if old not in text:
            raise ValueError(f"The file has no {old!r}.")
        text = text.replace(old, new)
    return text.encode()
