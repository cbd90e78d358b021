"""The main job with no feature on, in a process of its own: python -m tests.features.main_job FOLDER

An officer passes a module, a manager downloads the rows; then what of the features was imported is printed, a
module a line.
"""

import sys
from pathlib import Path

from tests.golden.visiting import PEOPLE, SEED, portal_at, run, signed_in
from tests.journeys.visiting import LEARNER, MANAGER

MODULE = "protect"
FILE = "/monitoring/directives/OIC-2026/completions.csv"


def do_main_job(instance: Path) -> set[str]:
    """The modules of features that the portal imported while it did what it is for."""
    with portal_at(instance, features="") as app:
        run(app, "db", "upgrade")
        run(app, "demo", "create", "--people", str(PEOPLE), "--seed", str(SEED))
        imported = {name for name in sys.modules if name.startswith("portal.features.")}
        learner = signed_in(app, instance, LEARNER)
        learner.take(LEARNER, MODULE)
        ((reference, _),) = learner.told.passes.items()
        rows = signed_in(app, instance, MANAGER).open("GET", FILE)
        assert rows.status_code == 200
        assert reference in rows.text
        return imported | {name for name in sys.modules if name.startswith("portal.features.")}


if __name__ == "__main__":
    sys.stdout.write("\n".join(sorted(do_main_job(Path(sys.argv[1])))))
