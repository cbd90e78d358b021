"""TOML as different hands write it: every kind of quotation mark, comments anywhere, blank lines or none.

What is written is drawn from one number, so that a text of a hundred turns costs one draw.
"""

import json
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

Data = dict[str, Any]

WORDS = (
    'van night A-man £5 ring-NCCU the-"boss" it\'s back\\slash tab\there é #1 [x] \'\'\' """ {a} = key'.split(
        " "
    )
)
COMMENTS = ("# why", "# [[item]]", '# key = "x"', '# """', "#", "# ask Hugh = ok")
BETWEEN = ("\n", "\n", "\n", "", "\n\n", "\n# ---- part ----\n\n", "\n# about the next\n")
OUTCOMES = [{"key": "see", "text": "See a thing"}, {"key": "say", "text": "Say a thing"}]


class Hand:
    """Somebody who writes TOML in a way of their own."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.scenes = True  # whether an item may have scenes, which its kind would refuse

    def once_in(self, times: int) -> bool:
        return self.random.randrange(times) == 0

    def one_of(self, *ways: Any) -> Any:
        return self.random.choice(ways)

    # What is said

    def line(self) -> str:
        return " ".join(self.random.choices(WORDS, k=self.random.randint(1, 3))).strip()

    def words(self) -> str:
        rows = [self.one_of(self.line(), self.line(), "") for _ in range(self.random.randint(1, 4))]
        return "\n".join([*rows, self.line()]).strip()

    def choices(self) -> list[Data]:
        made = self.random.randint(2, 4)
        right = self.random.randrange(made)
        said = [{"key": "abcd"[n], "text": self.line(), "feedback": self.words()} for n in range(made)]
        return [each | ({"correct": True} if n == right else {}) for n, each in enumerate(said)]

    def item(self, key: str) -> Data:
        said: Data = {
            "key": key,
            "outcome": self.one_of("see", "say"),
            "kind": "single",
            "prompt": self.line(),
            "explanation": self.line(),
            "source": self.one_of("practice", "1", ["1", "practice"]),
        }
        if self.once_in(2):
            said["stimulus"] = self.words()
        if self.scenes and self.once_in(4):
            said["scene"] = [self.scene(f"scene-{n}") for n in range(self.random.randint(1, 3))]
        return said | {"choice": self.choices()}

    def scene(self, key: str) -> Data:
        """A scene of a scenario; the last one has no choices."""
        said: Data = {"key": key, "text": self.words()}
        if self.once_in(3):
            return said | {"debrief": self.line()}
        ways = [{"key": each, "text": self.line(), "weight": Decimal("0.5")} for each in "ab"]
        return said | {"choice": ways}

    def items(self, least: int = 1) -> list[Data]:
        keys = self.random.sample([f"{stem}-{n}" for stem in ("stop", "who") for n in range(9)], 4)
        return [self.item(key) for key in keys[: self.random.randint(least, 4)]]

    # How it is written

    def text(self, said: str) -> str:
        ways = [json.dumps(said, ensure_ascii=False), json.dumps(said), self.lines(said)]
        if "'" not in said and "\n" not in said:
            ways.append(f"'{said}'")
        if "'''" not in said and not said.endswith("'"):
            ways.append(f"'''{self.opening(said)}{said}'''")
        return str(self.one_of(*ways))

    def lines(self, said: str) -> str:
        """A multi-line string, some characters escaped that need not be, some lines joined by a backslash."""
        written = said.replace("\\", "\\\\").replace('"""', '""\\"')
        if self.once_in(2):
            written = written.replace("é", "\\u00e9").replace("\t", "\\t")
        if self.once_in(3):
            written = written.replace(" ", self.one_of(" \\\n   ", " \\\n\n"), 1)
        if said.endswith('"') and not said.endswith('"""'):
            written = written[:-1] + '\\"'
        return f'"""{self.opening(said)}{written}"""'

    def opening(self, said: str) -> str:
        return str("\n" if said.startswith("\n") else self.one_of("", "\n"))

    def value(self, said: Any) -> str:
        if isinstance(said, str):
            return self.text(said)
        return self.array(said) if isinstance(said, list) else self.inside(said)

    def inside(self, said: Any) -> str:
        if isinstance(said, bool):
            return "true" if said else "false"
        if isinstance(said, dict):
            members = ", ".join(f"{key} = {self.inside(each)}" for key, each in said.items())
            return str(self.one_of(f"{{ {members} }}", f"{{{members}}}"))
        if isinstance(said, list):
            return f"[{', '.join(map(self.inside, said))}]"
        return json.dumps(said, ensure_ascii=False) if isinstance(said, str) else str(said)

    def array(self, said: list[Any]) -> str:
        """An array in one line, or an element a line, with comments and with a last comma or none."""
        written = [self.inside(each) for each in said]
        if self.once_in(2) or not written:
            return f"[{', '.join(written)}]"
        rows = []
        for number, each in enumerate(written):
            above = f"  {self.one_of(*COMMENTS)}\n" if self.once_in(4) else ""
            comma = "," if number < len(written) - 1 or self.once_in(2) else ""
            rows.append(f"{above}  {each}{comma}{self.behind()}\n")
        return f"[\n{''.join(rows)}]"

    def behind(self) -> str:
        return f"  {self.one_of(*COMMENTS)}" if self.once_in(5) else ""

    def statement(self, key: str, said: Any) -> str:
        above = f"{self.one_of(*COMMENTS)}\n" if self.once_in(8) else ""
        shown = f'"{key}"' if self.once_in(9) else key
        return f"{above}{shown}{self.one_of(' = ', ' = ', '=', '   = ')}{self.value(said)}{self.behind()}\n"

    def tables(self, names: tuple[str, ...], rows: list[Data]) -> str:
        return "".join(f"{self.one_of(*BETWEEN)}{self.header(names)}{self.members(r, names)}" for r in rows)

    def header(self, names: tuple[str, ...]) -> str:
        return f"[[{self.one_of('.'.join(names), ' ' + ' . '.join(names) + ' ')}]]{self.behind()}\n"

    def members(self, said: Data, names: tuple[str, ...]) -> str:
        """Plain keys, then the tables below, by headers or in one array of inline tables."""
        inline = self.once_in(6)
        below = {k for k, v in said.items() if isinstance(v, list) and isinstance(v[0], dict)}
        plain = "".join(self.statement(k, v) for k, v in said.items() if inline or k not in below)
        return plain + "".join(self.tables((*names, k), said[k]) for k in below if not inline)

    def bank(self, said: list[Data]) -> str:
        head = self.one_of("", "# The bank.\n\n", "# Mine: do not touch.\n")
        text = head + self.tables(("item",), said)
        return str(self.one_of(text, text, text.rstrip("\n"), text + "\n# The end.\n"))

    def module(self, key: str, lessons: list[str]) -> tuple[str, Data]:
        """``module.toml`` in any order and style, and what it says."""
        said: Data = {
            "key": key,
            "title": self.line(),
            "aim": self.words(),
            "owner": self.line(),
            "review_on": date(2027, 5, 31),
            "minutes": self.random.randint(1, 90),
            "mastery_score": self.one_of(Decimal("0.8"), Decimal("0.80"), Decimal("1.0"), 1),
            "lessons": lessons,
        }
        rules: Data = {"draw": 2, "at_least_per_outcome": self.one_of(0, 1)}
        rules |= {k: v for k, v in {"attempts": 0, "test_out": False}.items() if self.once_in(2)}
        text = "".join(self.statement(k, said[k]) for k in self.random.sample(list(said), len(said)))
        way = self.one_of("last", "dotted", "inline", "first")
        if way == "dotted":
            text += "".join(f"assessment.{k} = {self.inside(v)}\n" for k, v in rules.items())
        if way == "inline":
            text += f"assessment = {self.inside(rules)}\n"
        headed = "\n[assessment]\n" + "".join(self.statement(k, v) for k, v in rules.items())
        text += (headed if way == "first" else "") + self.tables(("outcome",), OUTCOMES)
        return text + (headed if way == "last" else ""), said | {"assessment": rules, "outcome": OUTCOMES}


HANDS = st.integers(0, 2**32).map(Hand)
