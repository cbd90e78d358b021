"""References of records: not guessable, easy to read aloud, and with a check against mistyping.

``OIC-XXXX-XXXX-C``: eight random characters of Crockford's base 32 and its check character, the number
modulo 37. Numbers whose check would be one of the five symbols beyond the alphabet are not drawn, so that a
reference has only letters and digits.
"""

import secrets

PREFIX = "OIC"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 8
_READ_AS = str.maketrans("OIL", "011")  # letters that the alphabet leaves out because they look like digits


def new_reference() -> str:
    """Draw a reference at random: almost forty bits, not derived from the record."""
    while True:
        body = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        check = _check_character(body)
        if check:
            return _format_reference(body + check)


def is_reference(text: str) -> bool:
    """Whether ``text`` is a valid reference exactly as the portal writes it."""
    return normalise_reference(text) == text


def normalise_reference(text: str) -> str | None:
    """The reference that a person typed, whatever the case, spaces, hyphens, and O, I and L for digits.

    None if it is not a reference, or its check character is wrong.

    >>> normalise_reference("oic 0000 ooo1 1") == normalise_reference("OIC-0000-0001-1") == "OIC-0000-0001-1"
    True
    """
    packed = "".join(text.upper().replace("-", " ").split())
    if not packed.startswith(PREFIX):
        return None
    typed = packed.removeprefix(PREFIX).translate(_READ_AS)
    if len(typed) != _LENGTH + 1 or any(character not in _ALPHABET for character in typed):
        return None
    return _format_reference(typed) if _check_character(typed[:_LENGTH]) == typed[_LENGTH] else None


def _check_character(body: str) -> str:
    """The check character; empty if it would be outside the alphabet."""
    value = 0
    for character in body:
        value = value * 32 + _ALPHABET.index(character)
    rest = value % 37
    return _ALPHABET[rest] if rest < len(_ALPHABET) else ""


def _format_reference(characters: str) -> str:
    return f"{PREFIX}-{characters[:4]}-{characters[4:8]}-{characters[8]}"
