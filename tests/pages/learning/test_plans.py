"""What an officer does is found by indexes, so that it costs the same in a large force as in a small one."""

import re

from tests.factories.catalogue import make_version
from tests.page_reading import PortalClient
from tests.pages.learning.asking import ask
from tests.pages.learning.working import learner, take
from tests.statement_plans import noted_statements, tables_read_whole


def test_nothing_that_an_officer_does_reads_the_rows_of_everyone(client: PortalClient) -> None:
    make_version()
    ask("protect")
    learner(client)

    with noted_statements() as sent:
        outcome = take(client, 4)
        certificate = re.search(r"/records/OIC[A-Z0-9-]+", outcome.html)
        assert certificate, outcome.text
        for path in ("/learning", "/learning/modules/protect", "/records", certificate[0]):
            client.page(path)

    assert len(sent) > 100
    assert tables_read_whole(sent) == {}
