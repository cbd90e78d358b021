"""How much of the published versions a process keeps, and what a list of modules loads of them."""

from portal.domain.catalogue.models import ModuleVersion
from portal.domain.catalogue.version_cache import (
    VersionCache,
    VersionKey,
    bytes_of,
    published_version,
    version_content,
)
from portal.domain.learning.my_learning import load_my_learning
from portal.platform import clock
from portal.platform.db import db
from tests.factories.catalogue import make_version
from tests.factories.people import make_person


def _key(number: int) -> VersionKey:
    return VersionKey(number, "digest", clock.now())


def test_a_cache_drops_what_was_used_longest_ago_beyond_its_bytes():
    loaded = []

    def load(key: VersionKey) -> str:
        loaded.append(key)
        return "x" * 1000

    keys = [_key(number) for number in range(4)]
    cache = VersionCache(load, 3 * bytes_of("x" * 1000))
    for key in (*keys[:3], keys[0], keys[3]):
        cache(key)

    assert cache.size == 3 * bytes_of("x" * 1000)
    cache(keys[0])
    assert loaded == keys, "the first was used again, so it was kept"
    cache(keys[1])
    assert loaded == [*keys, keys[1]]


def test_a_value_larger_than_the_whole_cache_is_given_and_does_not_stay_beside_others():
    cache = VersionCache(lambda key: "x" * (100 if key.id else 5000), 1000)

    assert len(cache(_key(0))) == 5000
    assert len(cache(_key(1))) == 100
    assert cache.size == bytes_of("x" * 100)


def test_bytes_are_those_of_all_that_is_within():
    text = "x" * 10_000

    assert bytes_of({"a": [text], "b": (text,)}) > 20_000
    assert bytes_of([]) < 100


def test_my_learning_loads_no_text_and_no_item_of_any_module(database):
    version = db.session.get_one(ModuleVersion, make_version(lessons=2, items=4))
    load_my_learning(make_person(), clock.now())

    assert published_version.size > 0
    assert version_content.size == 0
    content = published_version(VersionKey(version.id, version.digest, version.recorded_at)).load_content()
    assert (len(content.lesson_html), len(content.items)) == (2, 4)
    assert version_content.size == bytes_of(content)
