"""Checks a draft's files and caches the results in each process.

A reading is large (every lesson and item is rendered), so only a few are cached. It depends on the module's
or guide's files and key, on the files that all modules share and on the existing guides.
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
MAX_CACHED_BYTES = 64 * 1024 * 1024  # of files in the cached readings, in each process

CacheKey = tuple[str, str, str, frozenset[str]]  # the key, digests of the module's and shared files, guides
_readings: OrderedDict[CacheKey, CheckedFolder] = OrderedDict()
_lock = Lock()


def check_draft_files(key: str, files: dict[str, bytes]) -> CheckedFolder:
    """Check a module's or guide's files: faults, the package, and its rendered lessons and items.

    Media addresses are those of the draft, ``/authoring/<key>/media/<sha256>/<name>``.
    """
    return _cached_check(key, digest_of(files), lambda: files)


def check_draft_hashes(key: str, files: Mapping[str, str]) -> CheckedFolder:
    """Check a saved state, given by its hashes; contents are loaded only if the result is not cached."""
    return _cached_check(key, _digest_of_hashes(files), lambda: blob_store.read_files(files))


def check_unsaved_files(key: str, files: dict[str, bytes]) -> CheckedFolder:
    """Check files that are still being edited; the result is not cached, as it will not be needed again."""
    return subject_of(key).check_files(files, partial(_media_address, key))


def _cached_check(key: str, digest: str, fetch: Callable[[], dict[str, bytes]]) -> CheckedFolder:
    guides = frozenset(guide.key for guide in guide_summaries())
    cache_key = (key, digest, digest_of(catalogue.shared_files()), guides)
    with _lock:
        if cache_key in _readings:
            _readings.move_to_end(cache_key)
            return _readings[cache_key]
    reading = subject_of(key).check_files(fetch(), partial(_media_address, key))
    with _lock:
        _readings[cache_key] = reading
        while len(_readings) > 1 and (len(_readings) > MAX_READINGS or _cached_bytes() > MAX_CACHED_BYTES):
            _readings.popitem(last=False)
    return reading


def _cached_bytes() -> int:
    modules = [module.package.files for reading in _readings.values() for module in reading.modules]
    guides = [guide.files for reading in _readings.values() for guide in reading.guides]
    return sum(len(content) for files in (*modules, *guides) for content in files.values())


def _media_address(key: str, sha256: str, path: str) -> str:
    return f"/authoring/{key}/media/{sha256}/{path.removeprefix('media/')}"


def _digest_of_hashes(files: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path}\0{files[path]}\n".encode())
    return digest.hexdigest()
