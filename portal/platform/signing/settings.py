"""Settings of returns: the key that signs them, and whether this portal coordinates forces."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LONGEST_NAME = 60
DEMO_KEY = "return-key.pem"


@dataclass(frozen=True, slots=True)
class ReturnSettings:
    """How returns are signed, under which name, and by whom comparisons are."""

    key_file: str  # path of a private key in PEM; empty: no return can be made
    force: str  # the force's short name at the coordinating unit
    coordinator: str  # on, off or empty
    coordinator_key: str  # base64 of the public key that signs comparisons; empty: none is taken

    def list_faults(self) -> Iterator[str]:
        """A sentence for each setting that is wrong."""
        # Few processes read a key, and the libraries that do are large: so imported where one is set.
        if self.key_file:
            from portal.platform.signing.keys import SigningKeyError, load_private_key

            try:
                load_private_key(Path(self.key_file))
            except SigningKeyError as error:
                yield f"RETURN_KEY_FILE {error}."
        if self.force and (not NAME.fullmatch(self.force) or len(self.force) > LONGEST_NAME):
            yield "RETURN_FORCE is a short name in small letters, digits and hyphens, such as westshire."
        if self.coordinator not in {"on", "off", ""}:
            yield "COORDINATOR is 'on' or 'off'."
        if self.coordinator_key:
            from portal.platform.signing.keys import is_public_key

            if not is_public_key(self.coordinator_key):
                yield "COORDINATOR_KEY is the public key of the coordinating unit, 44 characters of base64."

    def is_coordinator(self, mode: str) -> bool:
        """Whether the pages of the coordinating unit are there; the default only in the demo."""
        return (self.coordinator or ("on" if mode == "demo" else "off")) == "on"

    def find_key_file(self, mode: str, instance: Path) -> Path | None:
        """The file of the key that signs returns, in the demo one in its instance folder; None: none."""
        if self.key_file:
            return Path(self.key_file)
        return instance / DEMO_KEY if mode == "demo" else None

    def name_force(self, force_name: str) -> str:
        """The short name: as set, or made of the force's name.

        >>> ReturnSettings("", "", "", "").name_force("Westshire Police")
        'westshire-police'
        """
        made = "-".join(re.findall(r"[a-z0-9]+", force_name.lower()))[:LONGEST_NAME].strip("-")
        return self.force or made or "force"


def read_return_settings(read: Callable[[str], str]) -> ReturnSettings:
    """The settings as they are written; ``read`` gives the text of one, empty if it is not set."""
    return ReturnSettings(
        key_file=read("RETURN_KEY_FILE"),
        force=read("RETURN_FORCE"),
        coordinator=read("COORDINATOR"),
        coordinator_key=read("COORDINATOR_KEY"),
    )
