"""What the check says of a draft's files, read once a process for the same bytes.

A reading is large (every lesson and item is rendered), so few are kept; what a reading says depends on the
module's or guide's files, on its key, on the files that all modules share and on which guides there are.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock

from portal.domain.authoring.content_types import subject_of
from portal.domain.authoring.media import blob_store
from portal.domain.catalogue import queries as catalogue
from portal.domain.catalogue.guide_publishing import guide_summaries
from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.sources.validation import digest_of

MAX_READINGS = 16
MAX_CACHED_BYTES = 64 * 1024 * 1024  # of files that the readings hold on to, in each process

CacheKey = tuple[str, str, str, frozenset[str]]  # the key, digests of the module's and shared files, guides
_readings: OrderedDict[CacheKey, CheckedFolder] = OrderedDict()
_lock = Lock()


def check_draft_files(key: str, files: dict[str, bytes]) -> CheckedFolder:
    """The check of a module's or guide's files: faults, the package, and its lessons and items rendered.

    Addresses of media lead to the draft's own, ``/authoring/<key>/media/<sha256>/<name>``.
    """
    return _cached_check(key, digest_of(files), lambda: files)


def check_draft_hashes(key: str, files: Mapping[str, str]) -> CheckedFolder:
    """The same of a state's hashes by path; their contents are fetched only where it was not read before."""
    return _cached_check(key, _digest_of_hashes(files), lambda: blob_store.read_files(files))


def check_unsaved_files(key: str, files: dict[str, bytes]) -> CheckedFolder:
    """The same of words that are still being written, which nobody will ask for again: not kept."""
    return subject_of(key).check_files(files, partial(_media_address, key))


def _cached_check(key: str, digest: str, fetch: Callable[[], dict[str, bytes]]) -> CheckedFolder:
    guides = frozenset(guide.key for guide in guide_summaries())
    name = (key, digest, digest_of(catalogue.shared_files()), guides)
    with _lock:
        if name in _readings:
            _readings.move_to_end(name)
            return _readings[name]
    made = subject_of(key).check_files(fetch(), partial(_media_address, key))
    with _lock:
        _readings[name] = made
        while len(_readings) > 1 and (len(_readings) > MAX_READINGS or _cached_bytes() > MAX_CACHED_BYTES):
            _readings.popitem(last=False)
    return made


def _cached_bytes() -> int:
    modules = [module.package.files for each in _readings.values() for module in each.modules]
    guides = [guide.files for each in _readings.values() for guide in each.guides]
    return sum(len(content) for files in (*modules, *guides) for content in files.values())


def _media_address(key: str, sha256: str, path: str) -> str:
    return f"/authoring/{key}/media/{sha256}/{path.removeprefix('media/')}"


def _digest_of_hashes(files: Mapping[str, str]) -> str:
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(f"{path}\0{files[path]}\n".encode())
    return whole.hexdigest()
