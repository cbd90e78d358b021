"""An import has room for the pages it changes; the connection it leaves behind has no more than before."""

import gc

import pytest
from sqlalchemy import text

from portal.domain.imports import services
from portal.domain.people import roster_store
from portal.platform.bulk import KIBIBYTES, paused_garbage_collection
from portal.platform.db import db, transaction
from tests.domain.imports.rosters import row, run, write_csv


def cache():
    return db.session.scalar(text("PRAGMA cache_size"))


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize("fails", [False, True])
def test_only_while_an_import_is_written_has_it_room(app, database, tmp_path, monkeypatch, fails):
    before, while_written, write = cache(), [], roster_store.write_plan

    def watched(*given, **more):
        while_written.append(cache())
        if fails:
            raise services.RuleError("It fails.")
        return write(*given, **more)

    monkeypatch.setattr(roster_store, "write_plan", watched)
    done = run(app, "people", "import", write_csv(tmp_path / "r.csv", [row("R1")]))

    assert done.exit_code == int(fails)
    assert while_written == [-KIBIBYTES]
    assert before != -KIBIBYTES
    assert cache() == before
    with transaction():
        assert cache() == before


def test_garbage_is_collected_again_after_bulk_work_that_fails():
    @paused_garbage_collection()
    def fail():
        assert not gc.isenabled()
        raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            fail()
        assert gc.isenabled()


def test_garbage_is_left_to_whoever_paused_its_collection_first():
    with paused_garbage_collection():
        with paused_garbage_collection():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
