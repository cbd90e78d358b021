"""How many examples a property is tried on: few in ``make test``, many in the long sweeps."""

import pytest
from hypothesis import settings

WITHOUT_SWEEPS = "not sweep"


def choose_profile(config: pytest.Config) -> None:
    """Load the profile of this run. Called before any test module is imported.

    How long one example takes says how busy the machine is, not whether the property holds.
    """
    settings.register_profile("few", deadline=None, max_examples=50)
    settings.register_profile("many", deadline=None)
    settings.load_profile("few" if WITHOUT_SWEEPS in config.option.markexpr else "many")


def few_or_many(few: int, many: int) -> int:
    """The number of examples of a property that is dear, or cheap, to try."""
    return few if settings.get_current_profile_name() == "few" else many
