"""An item of each kind as an author writes it, whole; a test changes only what it is about."""

from portal.domain.item_kinds import kinds_by_name
from portal.platform.formats.toml_tables import Faults, Source

HEAD = """[[item]]
key = "{key}"
outcome = "{outcome}"
kind = "{kind}"
prompt = "What do you do?"
explanation = "Because it is so."
source = "1"
"""

SINGLE = """
[[item.choice]]
key = "a"
text = "This"
feedback = "Yes."
correct = true

[[item.choice]]
key = "b"
text = "That"
feedback = "No."
"""

MULTIPLE = (
    SINGLE
    + """
[[item.choice]]
key = "c"
text = "The other"
feedback = "Yes."
correct = true
"""
)

ORDER = """
[[item.step]]
key = "stop"
text = "Stop the *lorry*"

[[item.step]]
key = "call"
text = "Call the control room"

[[item.step]]
key = "wait"
text = "Wait for the ambulance"
"""

MATCH = """extra_right = ["Nobody"]

[[item.pair]]
key = "intel"
left = "An intelligence report"
right = "The NCCU"

[[item.pair]]
key = "safety"
left = "A child at risk"
right = "Children's services"

[[item.pair]]
key = "minister"
left = "A referral"
right = "The NCCU"
"""

SCENARIO = """start = "road"

[[item.scene]]
key = "road"
text = "A lorry stands on the hard shoulder. Someone **knocks** inside."

[[item.scene.choice]]
key = "listen"
text = "Listen and speak"
to = "voices"
weight = 1
feedback = "You learn that people are alive."

[[item.scene.choice]]
key = "open"
text = "Open the doors at once"
to = "rush"
weight = 0.4
feedback = "Nobody is there to help you."

[[item.scene]]
key = "voices"
text = "You hear eight voices."
debrief = "Words save time here."

[[item.scene.choice]]
key = "call"
text = "Call for an ambulance"
to = "safe"
weight = 1
feedback = "It is on its way."

[[item.scene.choice]]
key = "leave"
text = "Look for the driver first"
to = "lost"
weight = 0
feedback = "Minutes pass."

[[item.scene]]
key = "rush"
text = "People climb out onto the road."

[[item.scene.choice]]
key = "block"
text = "Close the road"
to = "safe"
weight = 0.5
feedback = "You make it safe."

[[item.scene.choice]]
key = "count"
text = "Count them"
to = "lost"
weight = 0.1
feedback = "Traffic does not wait."

[[item.scene]]
key = "safe"
text = "Everyone is safe."
debrief = "Two ways led here."

[[item.scene]]
key = "lost"
text = "Someone is hurt."
"""

REPORT = """incident = "At 02:10 a lorry driver tells you of voices."

[[item.part]]
key = "source"
label = "Source evaluation"
kind = "choice"

[[item.part.choice]]
key = "one"
text = "1: reliable"
feedback = "You know nothing of him."

[[item.part.choice]]
key = "two"
text = "2: untested"
feedback = "You have not met him before."
correct = true

[[item.part]]
key = "handling"
label = "Handling"
kind = "choice"

[[item.part.choice]]
key = "p"
text = "P: may be shared"
feedback = "Yes."
correct = true

[[item.part.choice]]
key = "c"
text = "C: with conditions"
feedback = "There are none."

[[item.part]]
key = "words"
label = "What was seen and said"
kind = "text"
model = "At 02:10 on a date a driver **reported** voices."
checklist = ["The time", "Who said it"]
"""

CALL = """
incident = "You are at a lorry. Nine people climbed down."

[[item.bit]]
key = "who"
text = "The medic says: two are cold."

[[item.bit.choice]]
key = "ages"
text = "How old do they say they are?"
answer = "Two say 16."
feedback = "Ages decide who comes."
correct = true

[[item.bit.choice]]
key = "origin"
text = "Where do you think they are from?"
answer = "The medic shrugs."
feedback = "A guess is copied."

[[item.bit]]
key = "lorry"
text = "The trailer is white."

[[item.bit.choice]]
key = "plate"
text = "Read me both plates"
answer = "WS00 TRX and no other."
feedback = "Both plates join the logs."
correct = true

[[item.bit.choice]]
key = "colour"
text = "What is it loaded with?"
answer = "Salad."
feedback = "The load can wait."

[[item.field]]
key = "count"
label = "How many people"
kind = "fact"
accept = ["9", "nine"]
feedback = "Your own count."

[[item.field]]
key = "age"
label = "Ages"
kind = "choice"
needs = "who/ages"

[[item.field.choice]]
key = "claimed"
text = "Two say that they are 16"
feedback = "As claimed."
correct = true

[[item.field.choice]]
key = "adults"
text = "All are adults"
feedback = "Nobody said so."

[[item.field.choice]]
key = "unknown"
text = "Not known"
feedback = "A gap that is named can be filled."
unasked = true
"""

BODIES = {
    "single": SINGLE,
    "multiple": MULTIPLE,
    "order": ORDER,
    "match": MATCH,
    "scenario": SCENARIO,
    "report": REPORT,
}
CASE_BODIES = {"scenario": SCENARIO, "report": REPORT, "call": CALL}


def item(kind: str, key: str = "one", outcome: str = "see") -> str:
    """The TOML of one whole item."""
    return HEAD.format(key=key, outcome=outcome, kind=kind) + BODIES[kind]


def check(kind: str, key: str = "try") -> str:
    """A lesson's unscored exercise of this kind."""
    head = f'::: check\nkey = "{key}"\nkind = "{kind}"\nprompt = "What first?"\nexplanation = "So."\n'
    return head + BODIES[kind].replace("[[item.", "[[") + ":::\n"


class Plain:
    """Leaves every text as it was written."""

    def render_inline(self, text: str, line: int) -> str:
        return text

    def render_block(self, text: str, line: int) -> str:
        return f"<p>{text}</p>"


def content_of(kind: str, text: str = "") -> dict:
    """What a version keeps of the item; it must be without fault."""
    faults = Faults()
    root = Source(text or item(kind), "bank.toml", faults).root()
    assert root is not None
    written = kinds_by_name()[kind].read_content(root.tables("item")[0], "one", "item.")
    assert faults.sentences() == []
    return kinds_by_name()[kind].render_content(written, Plain())
