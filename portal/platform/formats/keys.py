"""Keys that an author gives to what a file holds."""

import re

from portal.platform.formats.toml_tables import Table

KEY = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*")
LONGEST = 80


def read_key(table: Table) -> str:
    """The table's ``key``; a fault where it could not stand in an address or a form."""
    key = table.text("key")
    if key and not (KEY.fullmatch(key) and len(key) <= LONGEST):
        table.fault("key", f"“{key}” is not a key. Use letters, digits and single hyphens.")
    return key
