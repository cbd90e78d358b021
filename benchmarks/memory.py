"""(e) Memory of the server under the load of all the other measures, over all its processes (PSS).

``FEATURES= make bench BENCH="--only be"`` measures it without features while people take assessments.
"""

from benchmarks.figures import Figure
from benchmarks.serving import Watch

MOST = 200.0  # MiB


def measure(watch: Watch, floor: float | None) -> list[Figure]:
    """The most that was seen from the first page to the last."""
    what = "server memory under that load (PSS, all processes)"
    processes = sorted(watch.at_peak.items(), key=lambda seen: -seen[1])
    return [
        Figure("e", what, watch.peak, "MiB", floor, "bare view's server", watch.peak, "MiB", MOST),
        Figure("e", "server memory before the load", watch.first, "MiB"),
        *(
            Figure("e", f"of it at the most, {name.rpartition(' ')[0]}", size, "MiB")
            for name, size in processes
        ),
    ]
