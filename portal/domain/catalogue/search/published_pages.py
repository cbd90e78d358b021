"""The published pages that a reader may find, each version indexed once for the shared files that fill it."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import bindparam, select

from portal.domain.catalogue.guide_publishing import newest_guide_keys
from portal.domain.catalogue.markdown.lesson_parts import number_parts
from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.catalogue.models import GuideVersion, Lesson, ModuleVersion
from portal.domain.catalogue.queries import SharedKey, shared_content
from portal.domain.catalogue.search.passages import PagePassage, split_passages
from portal.domain.catalogue.search.text_index import IndexedPage, TextIndex, Vocabulary, build_index
from portal.domain.catalogue.version_cache import MIB, VersionCache, VersionKey, published_version
from portal.platform.db import read

MOST_INDEXES = 24 * MIB  # about 250 versions
_VOCABULARIES = 4  # those who read an older version of a module have a vocabulary of their own

_LESSONS = select(Lesson.id, Lesson.html).where(Lesson.module_version_id == bindparam("id"))
_JOB_AID = select(ModuleVersion.job_aid_html).where(ModuleVersion.id == bindparam("id"))
_GUIDE = select(GuideVersion.title, GuideVersion.html).where(GuideVersion.id == bindparam("id"))


class ReadableVersions(NamedTuple):
    """What a person reads now: a version of each module, and the shared files that fill every page."""

    modules: tuple[VersionKey, ...]  # under way, else the newest
    newest_modules: tuple[VersionKey, ...]  # whose job aids everybody reads
    shared: SharedKey


class IndexKey(NamedTuple):
    """Cache key of an index: what is indexed, of which version, filled from which shared files."""

    kind: str  # "module", "job aid", "guide", or "glossary", which has no version
    key: str  # of a guide
    version: VersionKey | None
    shared: SharedKey


def readable_indexes(versions: ReadableVersions) -> tuple[list[TextIndex], Vocabulary]:
    """The indexes of everything that these readers may find, and their vocabulary. One statement.

    A version that no one has searched since the process started takes two statements more.
    """
    keys = [
        *(IndexKey("module", "", version, versions.shared) for version in versions.modules),
        *(IndexKey("job aid", "", version, versions.shared) for version in versions.newest_modules),
        *(IndexKey("guide", key, version, versions.shared) for key, version in newest_guide_keys()),
        IndexKey("glossary", "", None, versions.shared),
    ]
    return [_index_of(key) for key in keys], _vocabulary_of(tuple(keys))


@lru_cache(maxsize=_VOCABULARIES)
def _vocabulary_of(keys: tuple[IndexKey, ...]) -> Vocabulary:
    return Vocabulary.of([_index_of(key) for key in keys])


def _load_index(key: IndexKey) -> TextIndex:
    return build_index(_PAGES[key.kind](key))


_index_of = VersionCache(_load_index, MOST_INDEXES)


def _module_pages(key: IndexKey) -> Iterator[IndexedPage]:
    """The module itself, with its aim and outcomes, and its lessons as this reader sees them."""
    version_key = _version_of(key)
    version = published_version(version_key)
    address = f"/learning/modules/{version.activity.key}"
    summary = (version.aim, *(outcome["text"] for outcome in version.outcomes))
    yield IndexedPage(address, version.title, "", summary, opens_at_passages=False)
    texts = {lesson_id: html for lesson_id, html in read(_LESSONS, {"id": version.id})}
    for lesson in version.lessons:
        html = str(fill_placeholders(number_parts(texts[lesson.id]), key.shared))
        lesson_address = f"{address}/lessons/{lesson.key}"
        yield _page_of(lesson_address, lesson.title, version.title, split_passages(html))


def _job_aid_pages(key: IndexKey) -> Iterator[IndexedPage]:
    version = published_version(_version_of(key))
    html = read(_JOB_AID, {"id": version.id})[0][0]
    if html and version.job_aid_title:
        address = f"/learning/modules/{version.activity.key}/job-aid"
        passages = split_passages(str(fill_placeholders(html, key.shared)))
        yield _page_of(address, version.job_aid_title, version.title, passages)


def _guide_pages(key: IndexKey) -> Iterator[IndexedPage]:
    """Each section of a guide; what precedes the first heading has the guide's title."""
    title, html = read(_GUIDE, {"id": _version_of(key).id})[0]
    passages = split_passages(str(fill_placeholders(html, key.shared)))
    starts = [number for number, passage in enumerate(passages) if passage.tag == "h2"]
    for start, end in zip([0, *starts], [*starts, len(passages)], strict=True):
        section = passages[start:end]
        if section:
            heading = section[0].text if section[0].tag == "h2" else title
            yield _page_of(f"/guides/{key.key}", heading, title, section, start + 1)


def _glossary_pages(key: IndexKey) -> Iterator[IndexedPage]:
    for term in shared_content(key.shared).terms.values():
        address = f"/glossary#{term.anchor}"
        yield IndexedPage(
            address,
            term.key,
            "Glossary",
            (term.text,),
            opens_at_passages=False,
            aliases=_initials_of(term.key),
        )


def _initials_of(term: str) -> str:
    """What officers say for a term of three words or more.

    >>> _initials_of("covert human intelligence source"), _initials_of("modern slavery")
    ('chis', '')
    """
    words = term.split()
    return "".join(word[0] for word in words).lower() if len(words) > 2 else ""


_PAGES = {
    "module": _module_pages,
    "job aid": _job_aid_pages,
    "guide": _guide_pages,
    "glossary": _glossary_pages,
}


def _version_of(key: IndexKey) -> VersionKey:
    if key.version is None:
        raise ValueError(f"A {key.kind} has no version.")
    return key.version


def _page_of(
    address: str, title: str, parent_title: str, passages: Sequence[PagePassage], first: int = 1
) -> IndexedPage:
    return IndexedPage(
        address,
        title,
        parent_title,
        tuple(passage.text for passage in passages),
        first,
        headings=frozenset(n for n, passage in enumerate(passages) if passage.tag.startswith("h")),
    )
