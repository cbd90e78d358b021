"""An upgrade that dies, as by a power cut to the process, once it has run a migration.

Run as a script: the revision of that migration, then the words of the command. The transaction is open then,
and more migrations are to follow.
"""

import os
import signal
import sys
from typing import Any

from flask.cli import main

from portal.commands import upgrade

last = sys.argv[1]


def die_after_last(*, step: Any, **_: Any) -> None:
    if step.up_revision_id == last:
        os.kill(os.getpid(), signal.SIGKILL)


upgrade._state_progress = die_after_last
sys.argv = ["flask", "--app", "wsgi", *sys.argv[2:]]
main()
