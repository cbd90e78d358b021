"""Figures as Prometheus reads them from ``/metrics``, and the alerts that they make fire."""

import json
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "deploy" / "monitoring" / "alerts.yml"
PROMTOOL = shutil.which("promtool")
Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Figures:
    """One scrape: a value for each name and its labels."""

    values: dict[tuple[str, Labels], float]

    def get(self, name: str, **labels: str) -> float | None:
        """A value; None where there is none."""
        return self.values.get((name, frozenset(labels.items())))

    def value(self, name: str, **labels: str) -> float:
        """A value; 0 of a counter that has not begun."""
        value = self.get(name, **labels)
        if value is None and name.endswith(("_total", "_count", "_bucket", "_sum")):
            return 0
        assert value is not None, f"{name}{labels} is not among the figures"
        return value


def read_figures(text: str) -> Figures:
    """The figures of an answer."""
    return Figures(
        {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
    )


def list_names(text: str) -> set[str]:
    """The names of an answer's figures, also of those that have no value now."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        names |= {f"{name}_{part}" for part in ("bucket", "count", "sum")} if kind == "histogram" else {name}
    return names


def read_rules() -> dict[str, dict[str, str]]:
    """The alert rules: for each its severity, summary and runbook."""
    rules = {}
    for part in RULES.read_text().split("- alert: ")[1:]:
        texts = {name: found[1] for name in ("severity", "summary", "runbook")
                 if (found := re.search(rf"{name}: (.+?)}}?$", part, re.MULTILINE))}  # fmt: skip
        rules[part.split("\n", 1)[0].strip()] = texts
    return rules


def list_expressions() -> list[str]:
    """What the rules and the dashboard ask Prometheus."""
    dashboard = json.loads((ROOT / "deploy" / "monitoring" / "dashboard.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    text = re.sub(r"\s+", " ", RULES.read_text())
    return asked + re.findall(r"expr: (?:>- )?(.+?) for:", text)


def check_alerts(
    folder: Path,
    scrape: Figures | None,
    firing: set[str],
    before: Figures | None = None,
    *,
    lost_nodes: int = 0,
    more_labels: dict[str, str] | None = None,
) -> str:
    """What promtool says against these alerts, and no others, firing; empty if nothing.

    Args:
        folder: For the test's files.
        scrape: What is read for an hour. None: the portal does not answer.
        firing: Names of rules.
        before: An earlier scrape: each minute, counts grow by as much as from it to ``scrape``.
        lost_nodes: How many other nodes do not answer.
        more_labels: What the alerts that fire say beside their severity.
    """
    earlier = before or scrape
    series = [{"series": 'up{job="portal"}', "values": f"{int(scrape is not None)}x60"}]
    series += [
        {"series": f'up{{job="portal", instance="{node}"}}', "values": "0x60"} for node in range(lost_nodes)
    ]
    for (name, labels), value in scrape.values.items() if scrape else ():
        is_count = name.endswith(("_total", "_count", "_bucket", "_sum"))
        step = value - earlier.values.get((name, labels), 0) if earlier and is_count else 0
        begin = value - time.time() if name.endswith("_timestamp_seconds") else value  # its clock begins at 0
        series.append({"series": _written(name, labels), "values": f"{begin:.6f}+{step:.6f}x60"})
    alerts = [
        {
            "eval_time": "50m",
            "alertname": name,
            "exp_alerts": [_expected(rule, more_labels or {})] if name in firing else [],
        }
        for name, rule in read_rules().items()
    ]
    test = {"interval": "1m", "input_series": series, "alert_rule_test": alerts}
    file = folder / "alerts.test.yml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    assert PROMTOOL
    done = subprocess.run([PROMTOOL, "test", "rules", file], capture_output=True, text=True, timeout=60)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _expected(rule: dict[str, str], more_labels: dict[str, str]) -> dict[str, Any]:
    return {
        "exp_labels": {"severity": rule["severity"], **more_labels},
        "exp_annotations": {"summary": rule["summary"], "runbook": rule["runbook"]},
    }


def _written(name: str, labels: Labels) -> str:
    return f"{name}{{{', '.join(f'{key}={json.dumps(value)}' for key, value in sorted(labels))}}}"
