"""Small modules as folders, whole by default; a test changes only what it is about."""

from pathlib import Path

MODULE = """key = "sample"
title = "Sample: a small module"
aim = "Show what a module is."
owner = "Learning and development"
review_on = 2027-05-31
minutes = 10
mastery_score = 0.8
lessons = ["first", "second"]

[[outcome]]
key = "see"
text = "See a thing"

[[outcome]]
key = "say"
text = "Say a thing"

[assessment]
draw = 2
at_least_per_outcome = 1
"""
ITEM = """[[item]]
key = "{key}"
outcome = "{outcome}"
kind = "single"
prompt = "What is it?"
explanation = "Because it is."
source = "1"

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
CHECK = """::: check
key = "try"
kind = "single"
prompt = "Which?"
explanation = "So."

[[choice]]
key = "a"
text = "This"
feedback = "Yes."
correct = true

[[choice]]
key = "b"
text = "That"
feedback = "No."
:::
"""
SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50">
<title>A drawing</title>
<desc>A box.</desc>
<rect width="10" height="10"/>
</svg>
"""
SOURCES = """[[source]]
number = "1"
title = "A report"
publisher = "An inspectorate"
kind = "primary"
checked_on = 2026-11-25
testable = true

[[source]]
number = "6"
title = "A blog"
publisher = "A writer"
kind = "low"
checked_on = 2026-11-25
testable = false
"""
GLOSSARY = """[[term]]
key = "OIC"
text = "Organised <immigration> & \\"crime\\"."
"""
FORCE = """[[setting]]
key = "nccu_contact"
label = "How to reach NCCU"
hint = "A number."
"""


def lesson(body: str = "Read this.\n", outcomes: str = '"see", "say"') -> str:
    """A lesson's file."""
    return f'+++\ntitle = "A lesson"\nminutes = 2\noutcomes = [{outcomes}]\n+++\n\n{body}'


def sample() -> dict[str, str | bytes]:
    """Every file of the folder of all, by path."""
    return {
        "_sources.toml": SOURCES,
        "_glossary.toml": GLOSSARY,
        "_force.toml": FORCE,
        "sample/module.toml": MODULE,
        "sample/lessons/first.md": lesson(f"## Look\n\nRead this.\n\n{CHECK}"),
        "sample/lessons/second.md": lesson(),
        "sample/items/bank.toml": ITEM.format(key="one", outcome="see")
        + ITEM.format(key="two", outcome="say"),
        "sample/media/box.svg": SVG,
        "sample/job-aid.md": '+++\ntitle = "On one page"\n+++\n\nDo this.\n',
    }


def write(folder: Path, changes: dict[str, str | bytes | None] | None = None) -> Path:
    """The sample as files below ``folder``, with these changed; None takes a file away."""
    for path, content in {**sample(), **(changes or {})}.items():
        target = folder / path
        if content is None:
            target.unlink(missing_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` by its path."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
