"""Makes a record of all that the portal shows, sends and holds, and compares two: see CONTRIBUTING.md.

python -m tests.golden record build/golden/new
python -m tests.golden compare build/golden/kept build/golden/new
"""

import argparse
import os
import sys
import time
from pathlib import Path

from tests.golden.comparing import compare, describe


def main() -> int:
    """Do what is asked; 1 where two records differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__.splitlines()[0])
    asked = parser.add_subparsers(dest="asked", required=True)
    asked.add_parser("record").add_argument("folder", type=Path)
    comparing = asked.add_parser("compare")
    comparing.add_argument("kept", type=Path)
    comparing.add_argument("new", type=Path)
    comparing.add_argument("--whole", action="store_true", help="leave out no line and no place")
    words = parser.parse_args()
    if words.asked == "record":
        return make_record(words.folder)
    try:
        differences = compare(words.kept, words.new)
    except FileNotFoundError as error:
        parser.error(str(error))
    for line in describe(differences, whole=words.whole):
        sys.stdout.write(f"{line}\n")
    return int(bool(differences))


def make_record(folder: Path) -> int:
    """Write a record, and say how large it is and what it took."""
    from tests.golden.recording import record  # with all of the portal, which comparing needs not

    begun = time.monotonic()
    counts = record(folder)
    took = os.times()
    processor = took.user + took.system + took.children_user + took.children_system
    for kind, count in sorted(counts.items()):
        sys.stdout.write(f"{kind:12}{count:7,}\n")
    sys.stdout.write(
        f"{sum(counts.values()):,} texts in {folder}, {time.monotonic() - begun:.0f} s,"
        f" {processor:.0f} s of a processor\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
