"""A directive as its owner writes it."""


def directive_text(*, reference: str = "OIC-2026", days: int = 60) -> bytes:
    """The bytes of a directive's file."""
    return f"""
reference = "{reference}"
title = "E-learning"
source = "Inspection"
wording = "Complete it."
owner = "D4001"
effective_on = 2025-09-01
target = 1.0
notice_days = [30]
expiring_days = 60
[due]
days_after_joining = {days}
[[audience]]
designated_role = ["response"]
[[requirement]]
kind = "module"
key = "recognise"
""".encode()
