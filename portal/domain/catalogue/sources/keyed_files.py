"""Reading and checking of what is written as one TOML file each, named by its key."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from portal.domain.catalogue.sources.folder_reader import KEY_PATTERN, decode_text
from portal.platform.errors import BadInputError
from portal.platform.formats.faults import Faults
from portal.platform.formats.toml_tables import LONGEST_KEY, Source, Table

MOST_BYTES = 64 * 1024  # of one file
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class KeyedFiles(Generic[Read]):
    """How the files of one kind are read, such as those of event types."""

    noun: str  # with its article
    example: str  # the name of such a file
    reserved_keys: tuple[str, ...]  # addresses of other pages
    read_table: Callable[[str, bytes, Table], Read]  # of a key, the file and its outermost table
    compare: Callable[[list[Read], Faults], None] = lambda _read, _faults: None  # those of one folder

    def check_path(self, path: Path) -> list[Read]:
        """Read and check a file, or every file of a folder by name. Nothing is written.

        Raises:
            BadInputError: There are faults; the error lists all of them.
        """
        if path.is_dir():
            return self._check_folder(path)
        if path.suffix != ".toml":
            reason = f"{self.noun.capitalize()} is a file whose name ends in .toml."
            raise BadInputError([f"{path.name}: {reason}"])
        return [self.check_content(path.stem, path.read_bytes())]

    def _check_folder(self, folder: Path) -> list[Read]:
        faults = Faults()
        files = {}
        for path in sorted(folder.iterdir()):
            if path.suffix == ".toml" and path.is_file() and not path.is_symlink():
                files[path.name] = path.read_bytes()
            else:
                faults.add(path.name, None, "Only files whose names end in .toml belong here.")
        if not files:
            noun = self.noun.partition(" ")[2]
            faults.add(folder.name, None, f"There is no {noun} in this folder, such as {self.example}.")
        found = [
            read
            for name, content in sorted(files.items())
            if (read := self.read_content(name.removesuffix(".toml"), content, faults))
        ]
        self.compare(found, faults)
        faults.refuse()
        return found

    def check_content(self, key: str, content: bytes) -> Read:
        """Read and check a file from its bytes.

        Raises:
            BadInputError: There are faults; the error lists all of them.
        """
        faults = Faults()
        read = self.read_content(key, content, faults)
        faults.refuse()
        if read is None:  # said by a fault
            raise BadInputError([f"{key}.toml: This is not {self.noun}."])
        return read

    def read_content(self, key: str, content: bytes, faults: Faults) -> Read | None:
        """Read a file in spite of faults; None where it is not TOML or its key cannot be one."""
        path = f"{key}.toml"
        if not KEY_PATTERN.fullmatch(key) or len(key) > LONGEST_KEY:
            faults.add(path, None, f"Name {self.noun} with small letters, digits and single hyphens.")
            return None
        if key in self.reserved_keys:
            faults.add(path, None, f"“{key}” is the address of another page. Choose another name.")
            return None
        if len(content) > MOST_BYTES:
            faults.add(path, None, f"Keep this file under {MOST_BYTES // 1024} KB.")
            return None
        text = decode_text(content, path, faults)
        root = Source(text, path, faults).root() if text is not None else None
        return None if root is None else self.read_table(key, content, root)
