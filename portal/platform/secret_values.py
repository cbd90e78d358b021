"""Secrets: read from files, and judged whether they were chosen at random."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

# Secrets in files: ``NAME_FILE`` names a file that holds what ``NAME`` would say.
#
# Containers and systemd hand a secret to a process as a file, so that it stands in no unit, image or list
# of processes. A file holds one line; what is around it does not count.

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


# Judges whether a secret key was chosen at random, as far as that can be seen.
#
# It signs cookies and encrypts what is kept, so whoever guesses it is everybody.

FEWEST_KINDS = 10  # of characters in a secret key; 32 random hexadecimal digits have 14 on average
KNOWN_SECRETS = (  # of tutorials and examples, in small letters
    "change", "secret", "password", "example", "insecure", "qwerty", "correct-horse",
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
)  # fmt: skip


def weakness_of_secret(secret: str) -> str:
    """Reason why a secret key could be guessed, in a few words; empty if no reason is found.

    >>> weakness_of_secret("a" * 64), weakness_of_secret("0123456789abcdef" * 4)
    ('holds too few different characters', 'repeats itself')
    """
    steps = [ord(after) - ord(before) for before, after in pairwise(secret)]
    if len(secret) < 32:
        return "is too short"
    if len(set(secret)) < FEWEST_KINDS:
        return "holds too few different characters"
    if secret in (secret + secret)[1:-1]:
        return "repeats itself"
    if any(word in secret.lower() for word in KNOWN_SECRETS):
        return "is known from examples"
    if sum(step in (-1, 0, 1) for step in steps) > len(steps) / 2:
        return "counts up or down"
    return ""
