"""Secrets in files: ``NAME_FILE`` names a file that holds what ``NAME`` would say.

Containers and systemd hand a secret to a process as a file, so that it stands in no unit, image or list of
processes. A file holds one line; what is around it does not count.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

SECRETS = (  # settings that may stand in a file
    *("SECRET_KEY", "DATABASE_URL", "REPLICA_URL", "OIDC_CLIENT_SECRET"),
    *("SMTP_PASSWORD", "OUTBOUND_PROXY", "METRICS_TOKEN", "DEMO_PASSWORD"),
    *("BACKUP_S3_KEY_ID", "BACKUP_S3_SECRET_KEY"),
)
Environment = Callable[[str], str]  # the value of a variable, empty where it is not set


def read_secret(name: str, environment: Environment) -> str:
    """The value of a secret, from the environment or else from its file; empty where there is neither.

    A file that cannot be read counts as empty: ``list_secret_faults`` says so.
    """
    file = environment(f"{name}_FILE")
    try:
        return environment(name) or (Path(file).read_text(encoding="utf-8").strip() if file else "")
    except (OSError, ValueError):
        return ""


def list_secret_faults(environment: Environment) -> Iterator[str]:
    """A sentence for each secret that is given twice, or whose file holds no line; none repeats a value."""
    for name in SECRETS:
        if not environment(f"{name}_FILE"):
            continue
        if environment(name):
            yield f"{name} and {name}_FILE are both set: remove one of the two."
        elif len(read_secret(name, environment).splitlines()) != 1:
            yield f"{name}_FILE is the path of a file of one line that the portal can read."
