"""How the tests are shared out between workers."""

from xdist.scheduler.loadscope import LoadScopeScheduling

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
    """One by one, but for tests that share a browser, a server, workers or a force: those stay on one worker.

    The largest group begins first, so that no worker is left with one at the end.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file in FORCE_ON_POSTGRESQL and "postgresql" in nodeid:
            return "a force on PostgreSQL"
        return file if nodeid.startswith((*IN_A_BROWSER, *CREWS)) else nodeid
