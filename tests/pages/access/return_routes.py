"""Whose data each route of returns shows: numbers of forces, and nobody's."""

from tests.pages.access.shown import NOBODY

RETURN_ROUTES: dict[str, str] = dict.fromkeys(
    (
        "returns.show_comparison_schema",
        "returns.show_schema",
        "returns.show_returns",
        "returns.make_return",
        "returns.download_return",
        "returns.load_comparison",
        "returns.show_comparison",
        "returns.show_forces",
        "returns.add_force",
        "returns.show_force",
        "returns.change_force",
        "returns.register_key",
        "returns.end_force_key",
        "returns.ask_returns",
        "returns.load_return",
        "returns.download_received",
    ),
    NOBODY,
)
