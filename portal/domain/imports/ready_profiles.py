"""Ready profiles: how files of well-known systems are read, shipped as data in the folder `ready`.

A ready profile is only ever copied: into one file's mapping, and with it into a profile that a person saves.
So what a force has saved stays as it is when a later version of the portal has other ready profiles.
"""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from portal.domain.imports import queries
from portal.domain.imports.check_result import digest_of
from portal.domain.imports.column_mapping import TARGETS, ColumnMapping, scheme_of_column
from portal.domain.imports.models import ImportProfile
from portal.platform.tables.column_names import NAME_JOINT, find_columns, plain_name

_FOLDER = Path(__file__).parent / "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyProfile:
    """How one kind of file of a system is read."""

    key: str  # the name of its file
    system: str
    title: str
    looks_like: str  # such as "a Moodle course completion export"
    source: str  # what is known of the columns, and from where
    assumed: bool  # the columns are not public: nobody has compared them with a real file
    kind: str
    shape: str
    recognised_by: Sequence[str]  # columns that such a file has, all of them
    own_names: Sequence[str] = ()  # names of columns, written exactly so, that no other system uses
    columns: Mapping[str, Sequence[str]]  # our name -> the file's column, and what else it may be called
    fixed: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict)
    short_years: bool = False

    @property
    def digest(self) -> str:
        """Equal for profiles that read every file in the same way."""
        return digest_of(self.columns, self.fixed, self.values, self.left_out, self.short_years)

    def fits(self, columns: Collection[str]) -> bool:
        """Whether a file with these columns may be one of the system."""
        return {plain_name(name) for name in self.recognised_by} <= find_columns(columns).keys()

    def is_certain(self, columns: Collection[str]) -> bool:
        """Whether a file with these columns can be no other system's."""
        names = {column.rpartition(NAME_JOINT)[2].casefold() for column in columns}
        return self.fits(columns) and not names.isdisjoint(name.casefold() for name in self.own_names)

    def map_columns(self, columns: Sequence[str], *, stated: bool) -> ColumnMapping:
        """The mapping of a file with these columns; what is needed and not there is left to be asked.

        Args:
            columns: The names of the file's columns.
            stated: Whether a person says that the file is the system's. Otherwise a profile whose columns
                were assumed does not say where records come from: that stays on them for good.
        """
        named = find_columns(columns)
        fixed = dict(self.fixed)
        if self.assumed and not stated:
            fixed.pop("source_system", None)
        chosen: dict[str, str] = {}
        for target, names in self.columns.items():
            present = [named[plain_name(name)] for name in names if plain_name(name) in named]
            if present:
                chosen[target] = present[0]
        empty = {t.name: "" for t in TARGETS[self.shape] if not t.needed and t.name not in chosen}
        return ColumnMapping(
            self.shape,
            chosen,
            empty | fixed,
            values=deepcopy({target: dict(meanings) for target, meanings in self.values.items()}),
            left_out={named.get(plain_name(name), name): list(v) for name, v in self.left_out.items()},
            short_years=self.short_years,
            person_by=scheme_of_column(chosen.get("person", "")),
            ready=self.key,
            ready_digest=self.digest,
        )


@cache
def ready_profiles() -> Mapping[str, ReadyProfile]:
    """All ready profiles by key, in order of their titles."""
    profiles = [
        ReadyProfile(key=path.stem, **tomllib.loads(path.read_text(encoding="utf-8")))
        for path in _FOLDER.glob("*.toml")
    ]
    return {profile.key: profile for profile in sorted(profiles, key=lambda profile: profile.title)}


def list_ready_profiles(kind: str) -> list[ReadyProfile]:
    """The ready profiles of a kind, by title."""
    return [profile for profile in ready_profiles().values() if profile.kind == kind]


def recognise_system(kind: str, columns: Collection[str]) -> ReadyProfile | None:
    """The ready profile that for certain fits these columns, of several the closest; None if none is."""
    fitting = [profile for profile in list_ready_profiles(kind) if profile.is_certain(columns)]
    most = max((len(profile.recognised_by) for profile in fitting), default=0)
    best = [profile for profile in fitting if len(profile.recognised_by) == most]
    return best[0] if len(best) == 1 else None


def find_saved_copy(ready: ReadyProfile, columns: Collection[str]) -> ImportProfile | None:
    """The profile that was saved from a ready one and fits these columns; None if there are several."""
    copies = [
        profile
        for profile in queries.list_profiles(ready.kind)
        if profile.columns.get("ready") == ready.key
        and not ColumnMapping.from_json(deepcopy(profile.columns)).list_gaps(columns)
    ]
    return copies[0] if len(copies) == 1 else None
