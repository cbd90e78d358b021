"""Wrong settings of jobs are refused with a sentence each; one of an earlier release is named."""

import pytest

from config import RETIRED, Config, ConfigError, list_retired_settings
from portal.platform import presence
from tests.conftest import SECRET
from tests.forked import Forked
from tests.running import command, settings
from tests.waiting import PATIENCE


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"jobs": "elsewhere"}, "JOBS is 'embedded' or 'separate'"),
        ({"jobs_workers": 0}, "JOBS_WORKERS is 1 or more"),
        ({"jobs_lost_seconds": 0}, "JOBS_LOST_SECONDS is 1 or more"),
        ({"jobs_kept_days": 6}, "JOBS_KEPT_DAYS is 7 or more"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_sentence(tmp_path, values, sentence):
    with pytest.raises(ConfigError, match=sentence):
        Config(mode="demo", secret_key=SECRET, instance=tmp_path, **values)


def test_a_setting_of_an_earlier_release_is_named_and_ignored(tmp_path, monkeypatch):
    monkeypatch.delenv("JOBS_URL", raising=False)
    assert list_retired_settings() == []

    monkeypatch.setenv("JOBS_URL", "redis://user:secret@queue/0")

    assert Config(mode="demo", secret_key=SECRET, instance=tmp_path).jobs == "embedded"
    (sentence,) = list_retired_settings()
    assert sentence.startswith("JOBS_URL is no longer used")
    assert "secret" not in sentence


@pytest.mark.slow
def test_a_worker_and_a_server_name_it_as_they_start(tmp_path):
    instance = tmp_path / "instance"
    environment = settings(instance) | {"JOBS_URL": "redis://user:secret@queue/0"}
    assert command(environment, "db", "upgrade").returncode == 0

    with presence.hold_alone(instance):  # so that neither goes on
        worker = command(environment, "jobs", "work")
        out = tmp_path / "server.log"
        server = Forked("serve.py", [], environment, out)
        assert (worker.returncode, server.wait(PATIENCE)) == (1, 2)

    for lines in (worker.stderr.splitlines(), out.read_text().splitlines()):
        assert [line for line in lines if "JOBS_URL" in line] == [RETIRED["JOBS_URL"]]
        assert "secret" not in "".join(lines)
