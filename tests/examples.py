"""How many examples a property is tried on: few in ``make check``, more in ``make test``, most in sweeps.

``make check`` and ``make test`` try the same examples each time, so that a commit that passed passes again;
the search among new ones is for sweeps.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings

WITHOUT_SWEEPS = "not sweep"
QUICK_PART = 4  # of the few, one in so many is tried by ``make check``


def choose_profile(config: pytest.Config) -> None:
    """Load the profile of this run. Called before any test module is imported.

    How long an example takes, or is made, says how busy the machine is, not whether the property holds.
    """
    patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    repeatable = settings(patient, derandomize=True, database=None)
    settings.register_profile("quick", repeatable, max_examples=50 // QUICK_PART)
    settings.register_profile("few", repeatable, max_examples=50)
    settings.register_profile("many", patient)
    few = "quick" if config.getoption("--quick") else "few"
    settings.load_profile(few if WITHOUT_SWEEPS in config.option.markexpr else "many")


def sweep_after(number: int, *cases: Any) -> list[Any]:
    """The cases of a test, the densest first: so many of them run in ``make test``, the others in sweeps."""
    return [*cases[:number], *(pytest.param(case, marks=pytest.mark.sweep) for case in cases[number:])]


# Of properties that are tried within one test's transaction, which each example rolls back for itself.
IN_ONE_TRANSACTION = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def few_or_many(few: int, many: int) -> int:
    """The number of examples of a property that is slow, or fast, to try."""
    profile = settings.get_current_profile_name()
    return {"quick": max(2, few // QUICK_PART), "few": few}.get(profile, many)
