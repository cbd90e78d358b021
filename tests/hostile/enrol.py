"""Lets people join who have passed nothing, with the tests' password, so that many can learn at once."""

import sys

from portal.domain.accounts import services
from portal.domain.people.queries import person_by_staff_number
from portal.platform import clock
from portal.platform.db import transaction
from tests.platform.operations.writing import join
from tests.running import PASSWORD
from wsgi import app


def enrol(number: int) -> str:
    """One more person in the audience, with an account; the staff number."""
    staff_number = join("H", number)
    person = person_by_staff_number(staff_number)
    with transaction():
        services.set_password(person, PASSWORD, clock.now())
    return staff_number


if __name__ == "__main__":
    with app.app_context():
        for turn in range(int(sys.argv[1])):
            print(enrol(turn), flush=True)
