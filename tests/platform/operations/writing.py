"""People who join one after the other while something else runs: real facts, with all that follows from them.

Run as a script: one import a person, each acknowledged on its output, until a line comes in.
"""

import select
import sys
from itertools import count

from portal.domain.people.roster_plan import parse_rows_with_faults
from portal.platform.tables.table_files import SourceRow
from tests.domain.imports.rosters import import_rows, row
from wsgi import app


def join(prefix: str, number: int) -> str:
    """One more person in the audience; returns the staff number once it is committed."""
    values = row(
        f"{prefix}{number:05d}", unit_path="Westshire Police/Local Policing/Writers", post_key="", withdraw=""
    )
    rows, reasons = parse_rows_with_faults([SourceRow(number, values)])
    assert not reasons
    import_rows(rows)
    return values["staff_number"]


if __name__ == "__main__":
    with app.app_context():
        for turn in count(1):
            print(join(sys.argv[1], turn), flush=True)
            if select.select([sys.stdin], [], [], 0)[0]:
                break
