"""The desk on the first of June."""

import pytest

from tests.pages.decisions.desk import NOW, Desk, make_desk


@pytest.fixture
def desk(app, database, time_machine) -> Desk:
    time_machine.move_to(NOW, tick=False)
    return make_desk(app, time_machine.move_to)
