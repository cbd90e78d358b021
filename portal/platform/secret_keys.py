"""Judges whether a secret key was chosen at random, as far as that can be seen.

It signs cookies and encrypts what is kept, so whoever guesses it is everybody.
"""

from itertools import pairwise

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
