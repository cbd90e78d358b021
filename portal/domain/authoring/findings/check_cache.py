"""What the check says of a draft's files, read once a process for the same bytes.

A reading is large (every lesson and item is rendered), so few are kept; what a reading says depends on the
module's or guide's files, on its key, on the files that all modules share and on which guides there are.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock

from portal.domain.authoring.content_types import subject
from portal.domain.authoring.media import blob_store
from portal.domain.catalogue import queries as catalogue
from portal.domain.catalogue.guide_publishing import guide_names
from portal.domain.catalogue.services import Reading
from portal.domain.catalogue.sources.validation import digest_of

KEPT = 16
KEPT_BYTES = 64 * 1024 * 1024  # of files that the readings hold on to, in each process

Name = tuple[str, str, str, frozenset[str]]  # the key, digests of the module's and shared files, guides
_readings: OrderedDict[Name, Reading] = OrderedDict()
_lock = Lock()


def reading(key: str, files: dict[str, bytes]) -> Reading:
    """The check of a module's or guide's files: faults, the package, and its lessons and items rendered.

    Addresses of media lead to the draft's own, ``/authoring/<key>/media/<sha256>/<name>``.
    """
    return _read(key, digest_of(files), lambda: files)


def reading_of(key: str, files: Mapping[str, str]) -> Reading:
    """The same of a state's hashes by path; their contents are fetched only where it was not read before."""
    return _read(key, _digest_of_hashes(files), lambda: blob_store.files_of(files))


def passing(key: str, files: dict[str, bytes]) -> Reading:
    """The same of words that are still being written, which nobody will ask for again: not kept."""
    return subject(key).check(files, partial(_address, key))


def _read(key: str, digest: str, fetch: Callable[[], dict[str, bytes]]) -> Reading:
    guides = frozenset(guide.key for guide in guide_names())
    name = (key, digest, digest_of(catalogue.shared_files()), guides)
    with _lock:
        if name in _readings:
            _readings.move_to_end(name)
            return _readings[name]
    made = subject(key).check(fetch(), partial(_address, key))
    with _lock:
        _readings[name] = made
        while len(_readings) > 1 and (len(_readings) > KEPT or _held() > KEPT_BYTES):
            _readings.popitem(last=False)
    return made


def _held() -> int:
    modules = [module.package.files for each in _readings.values() for module in each.modules]
    guides = [guide.files for each in _readings.values() for guide in each.guides]
    return sum(len(content) for files in (*modules, *guides) for content in files.values())


def _address(key: str, sha256: str, path: str) -> str:
    return f"/authoring/{key}/media/{sha256}/{path.removeprefix('media/')}"


def _digest_of_hashes(files: Mapping[str, str]) -> str:
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(f"{path}\0{files[path]}\n".encode())
    return whole.hexdigest()
