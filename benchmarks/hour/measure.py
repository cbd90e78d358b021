"""(h) The runs of the hour, their goals, and the files of their figures beside this one."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import Figure, machine, table
from benchmarks.hour import made
from benchmarks.hour.plan import OFFICERS, Plan, all_ways
from benchmarks.hour.run import Costs, Memory, run
from benchmarks.hour.tally import ANSWER, BULK, FILE, LEARNING, PAGE, REPORT, SIGN_IN, Spread, Tally

HERE = Path(__file__).parent
SIGN_IN_P95, LEARNER_P95, LEARNER_LONGEST = 2_000, 250, 1_000  # ms
MOST_MEMORY = 300  # MiB
MOST_SHARE = 60  # % of what both web processes use
KINDS = (f"{SIGN_IN} form", SIGN_IN, PAGE, ANSWER, FILE, REPORT, BULK)


@dataclass(frozen=True, slots=True)
class Result:
    """One run."""

    plan: Plan
    tally: Tally
    costs: Costs
    peak: dict[str, float]  # MiB of each of the portal's processes when together they had most
    used: dict[str, float]  # seconds of processor time of the each of the portal's processes
    lost: tuple[int, int]  # answers and passes acknowledged that the database does not have

    @property
    def name(self) -> str:
        """Database and way of signing in."""
        database = "PostgreSQL" if self.plan.postgresql else "SQLite"
        return f"{database}, {'single sign-on' if self.plan.by_provider else 'passwords'}"


def measure(plans: Sequence[Plan], notes: Sequence[str] = ()) -> list[Figure]:
    """Run each and judge it; kept in ``latest.md`` where they were all ways of one size and pace."""
    results = []
    for plan in plans:
        results.append(result := one(plan))
        print(report(result), flush=True)
    found = [figure for result in results for figure in figures(result)]
    if tuple(plans) == all_ways(plans[0]):
        write(results, found, notes)
    return found


def one(plan: Plan) -> Result:
    """Make the force, let everybody come, stop the portal, and look what is kept."""
    with made.force(plan) as force:
        with made.portal(force, plan) as (server, signer):
            before, memory = server.processor_seconds_by_process(), Memory(server)
            with memory.sampling():
                tally, costs = run(plan, force, server, signer)
            after = server.processor_seconds_by_process()
            used = {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}
        return Result(plan, tally, costs, memory.peak, used, made.lost(force, tally))


def figures(result: Result) -> list[Figure]:
    """The goals of the issue first, then what explains them."""
    plan, tally = result.plan, result.tally
    signing, minute = tally.spread([SIGN_IN]), plan.minute
    learning = tally.spread(LEARNING, minute)
    what = f"{plan.officers:,} officers, {result.name}"
    answers, passes = result.lost
    web = [seconds for name, seconds in result.used.items() if name.startswith("portal-web")]
    return [
        _none(f"{what}: errors", tally.failures, "errors"),
        _none(f"{what}: of {tally.answers.total():,} acknowledged answers, lost", answers, "answers"),
        _none(f"{what}: of {len(tally.passes):,} acknowledged passes, lost", passes, "passes"),
        _most(f"{what}: sign-in within {minute:.3g} s, p95", signing.p95, "ms", SIGN_IN_P95),
        _most(f"{what}: learners afterwards, p95", learning.p95, "ms", LEARNER_P95),
        _most(f"{what}: learners afterwards, longest", learning.longest, "ms", LEARNER_LONGEST),
        _most(f"{what}: memory (PSS, all processes), most", sum(result.peak.values()), "MiB", MOST_MEMORY),
        _most(f"{what}: the busier web process's share of both", 100 * max(web) / sum(web), "%", MOST_SHARE),
        Figure("h", f"{what}: all signed in after", _last(tally, SIGN_IN), "s"),
        Figure("h", f"{what}: passed", tally.finished, "officers"),
        Figure("h", f"{what}: files downloaded", tally.spread([FILE]).count, "files"),
        Figure("h", f"{what}: of them by the offer of a job", tally.offers, "files"),
        *(
            Figure("h", f"{what}: {name}", end - begun, "s")
            for name, (begun, end) in tally.phases.items()
        ),
        Figure("h", f"{what}: processor time of the portal", sum(result.used.values()), "s"),
        Figure("h", f"{what}: the client's own share of a processor", 100 * result.costs.share, "%"),
        Figure("h", f"{what}: the client late by, p95", result.costs.lateness.p95, "ms"),
    ]  # fmt: skip


def _none(what: str, value: int, unit: str) -> Figure:
    return Figure("h", what, value, unit, judged=value, judged_unit=unit, target=0, fails_build=True)


def _most(what: str, value: float, unit: str, target: float) -> Figure:
    return Figure("h", what, value, unit, judged=value, judged_unit=unit, target=target)


def _last(tally: Tally, kind: str) -> float:
    return max((one.begun + one.seconds for one in tally.taken if one.kind == kind), default=0.0)


def report(result: Result) -> str:
    """Everything about one run, for a reader who looks for what was slow."""
    plan, tally, costs = result.plan, result.tally, result.costs
    minute = plan.minute
    rows = []
    for name, since, until in (("sign-in minute", 0.0, minute), ("afterwards", minute, tally.now)):
        for kind in KINDS:
            rows.append((name, kind, tally.spread([kind], since, until)))
    for name in tally.phases:
        rows.append((f"during {name}", "learners", tally.spread_during(LEARNING, name)))
    lines = [
        f"## {plan.officers:,} officers of {plan.force:,} people, {result.name}\n",
        f"{costs.elapsed:.0f} s; portal {sum(result.used.values()):.0f} s of processor time"
        f" ({_sizes(result.used)}); client"
        f" {100 * costs.share:.0f} % of one processor, late by {costs.lateness.p95:.0f} ms (p95),"
        f" at most {costs.lateness.longest:.0f} ms; {costs.connections} connections at most;"
        f" memory at most, MiB: {_sizes(result.peak)}.\n",
        "| When | What | Count | p50, ms | p95, ms | Longest, ms |",
        "|---|---|--:|--:|--:|--:|",
        *(_row((when, what), spread) for when, what, spread in rows if spread.count),
        "",
        *_of_errors(tally),
        "| Address | Count | p50, ms | p95, ms | Longest, ms |",
        "|---|--:|--:|--:|--:|",
        *(_row((f"{kind}: {what}",), spread) for kind, what, spread in _by_address(tally)),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _sizes(values: dict[str, float]) -> str:
    largest_first = sorted(values.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{name} {value:.0f}" for name, value in largest_first)


def _by_address(tally: Tally) -> list[tuple[str, str, Spread]]:
    keys = sorted({(one.kind, one.what) for one in tally.taken})
    return [
        (kind, what, Spread.of(t.seconds for t in tally.taken if (t.kind, t.what) == (kind, what)))
        for kind, what in keys
    ]


def _of_errors(tally: Tally) -> list[str]:
    found = [
        f"- {count} × {kind}: {words}" for kind, some in tally.errors.items() for words, count in some.items()
    ]
    return [*found, ""] if found else ["No errors.\n"]


def _row(names: tuple[str, ...], spread: Spread) -> str:
    times = (f"{each:,.0f}" for each in (spread.p50, spread.p95, spread.longest))
    return f"| {' | '.join((*names, f'{spread.count:,}', *times))} |"


def write(results: Sequence[Result], found: Sequence[Figure], notes: Sequence[str]) -> None:
    """``latest.md`` and ``latest.json`` beside this file."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = machine()
    said = ", ".join(f"{name} {value}" for name, value in about.items())
    plan = results[0].plan
    size = f"{plan.officers:,} of {OFFICERS:,} officers come, as many a second as in the whole hour"
    size += f", and think {plan.pace:.3g} times as fast as in a real one"
    parts = [f"# The hour when everyone comes\n\n{size}.\n\nMeasured {at}; {said}.\n", table(found), ""]
    parts += [f"- {note}" for note in notes]
    parts += [f"\n{report(result)}" for result in results]
    (HERE / "latest.md").write_text("\n".join(parts).strip() + "\n", encoding="utf-8")
    rows = [{**asdict(each), "met": each.met} for each in found]
    data = {"measured_at": at, "about": about, "figures": rows, "notes": list(notes)}
    (HERE / "latest.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
