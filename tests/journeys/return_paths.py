"""The addresses of the pages of returns, the plainest first; whoever owns directives meets all of them.

The demo has the returns of 43 forces, for the national view. ``tests.features.returns.made`` makes what the
addresses name: a month of which the force has a return of its own and a comparison, and a force with a key
and a return that came.
"""

RETURN_PATHS = {
    "returns.show_national": (
        "/returns/national",
        "/returns/national?as_at=someday",
        "/returns/national?period=x",
    ),
    "returns.show_variation": ("/returns/national/variation",),
    "returns.show_receipts": ("/returns/national/receipts",),
    "returns.show_movement": ("/returns/national/changes",),
    "returns.show_returns": ("/returns",),
    "returns.make_return": ("/returns/new",),
    "returns.load_comparison": ("/returns/comparisons/new",),
    "returns.show_comparison": ("/returns/comparisons/{month}",),
    "returns.show_forces": ("/returns/forces",),
    "returns.add_force": ("/returns/forces/new",),
    "returns.show_force": ("/returns/forces/{force}",),
    "returns.change_force": ("/returns/forces/{force}/details",),
    "returns.register_key": ("/returns/forces/{force}/keys/new",),
    "returns.end_force_key": ("/returns/forces/{force}/keys/{fingerprint}/end",),
    "returns.ask_returns": ("/returns/periods",),
    "returns.load_return": ("/returns/received/new",),
}
