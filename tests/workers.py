"""How the tests are shared out between workers."""

from xdist.scheduler.loadscope import LoadScopeScheduling
from xdist.workermanage import WorkerController

IN_A_BROWSER = ("tests/journeys/", "tests/pages/layout/test_in_a_browser.py")
FORCE_ON_POSTGRESQL = (
    "tests/domain/facts/test_held_open.py",
    "tests/hostile/test_provisioning_at_once.py",
    "tests/journeys/test_on_postgresql.py",
    "tests/commands/test_backup.py",
    "tests/platform/backups/test_backup_under_load.py",
    "tests/platform/backups/test_postgresql_target.py",
)
CREWS = (
    "tests/commands/test_upgrade.py",
    "tests/deploy/test_wheel.py",
    "tests/hostile/test_archives.py",
    "tests/hostile/test_reading_without_writing.py",
    "tests/hostile/test_slow_clients.py",
    "tests/platform/backups/test_restore.py",
    "tests/platform/jobs/test_worker.py",
    "tests/platform/serving/test_server.py",
    "tests/platform/test_replica.py",
)


class Together(LoadScopeScheduling):  # type: ignore[misc]
    """A file stays on one worker with one database, and so does what shares a browser, workers or a force.

    So each world and each statement is made by one worker. What is shared across files begins first, as it
    takes longest; then SQLite, then PostgreSQL, each with its largest file first, so that no worker opens
    the application on one database after another, or is left with a large file at the end.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        on_postgresql = "postgresql" in nodeid
        if file in FORCE_ON_POSTGRESQL and on_postgresql:
            return "a force on PostgreSQL"
        if file.startswith((*IN_A_BROWSER, *CREWS)):
            return file
        return f"{file} {'on PostgreSQL' if on_postgresql else ''}"

    def _assign_work_unit(self, node: WorkerController) -> None:
        if not self.assigned_work.get(node):  # at the beginning, when nothing or one unit has been taken
            for scope in sorted(self.workqueue, key=self._rank):
                self.workqueue.move_to_end(scope)
        super()._assign_work_unit(node)

    def _rank(self, scope: str) -> tuple[int, int]:
        file, _, where = scope.partition(" ")
        shared = scope.startswith("a force") or file.startswith((*IN_A_BROWSER, *CREWS))
        return (0 if shared else 2 if where else 1), -len(self.workqueue[scope])
