"""The algebra once more, as one SQL statement over the facts: it shares no line with the function."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, bindparam, text

from portal.platform.db import UtcDateTime, db


def _known(alias: str, table: str) -> str:
    return (
        f"{alias}.recorded_at <= :t AND NOT {alias}.void AND NOT EXISTS (SELECT 1 FROM {table} n "
        f"WHERE n.replaces_id = {alias}.id AND n.recorded_at <= :t)"
    )


def _dialect() -> dict[str, str]:
    if db.engine.dialect.name == "postgresql":
        day = "CAST({} AS date)"
        months = "CAST({x} + make_interval(months => {n}) AS date)"
        year = "CAST(extract(year FROM {x}) AS integer)"
        near, late = ":d + h.expiring_days", "({a} - {b})"
    else:
        day = "{}"
        months = (
            "min(date({x}, ({n}) || ' months'), "
            "date({x}, 'start of month', ({n} + 1) || ' months', '-1 day'))"
        )
        year = "CAST(strftime('%Y', {x}) AS integer)"
        near, late = (
            "date(:d, h.expiring_days || ' days')",
            "CAST(julianday({a}) - julianday({b}) AS integer)",
        )
    earliest = months.format(x="r.achieved_on", n="coalesce(h.minimum_gap_months, 0)")
    this = day.format(f"({year.format(x=earliest)} || '-' || h.yearly_on)")
    following = day.format(f"(({year.format(x=earliest)} + 1) || '-' || h.yearly_on)")
    return {
        "until": f"""CASE WHEN h.validity_months IS NOT NULL
            THEN {months.format(x="r.achieved_on", n="h.validity_months")}
            WHEN h.yearly_on IS NOT NULL
            THEN CASE WHEN {this} >= {earliest} THEN {this} ELSE {following} END
            ELSE {day.format("'9999-12-31'")} END""",
        "near": near,
        "late": late.format(a="w.met_on", b="w.due_on"),
    }


def _statement() -> Any:
    part = _dialect()
    return text(f"""
WITH ex AS MATERIALIZED (
  SELECT e.person_id, max(e.due_on) AS due_on,
    min(CASE WHEN e.exempt AND e.to_on >= :d THEN e.id END) AS exemption,
    min(CASE WHEN NOT e.exempt AND e.to_on >= :d THEN e.id END) AS deferral
  FROM exclusion e
  WHERE e.directive_id = :directive AND e.from_on <= :d AND {_known("e", "exclusion")}
  GROUP BY e.person_id),
h AS MATERIALIZED (
  SELECT a.person_id, q.position, q.activity_id, v.validity_months, v.yearly_on, v.minimum_gap_months,
    v.expiring_days, coalesce(v.validity_months, v.minimum_gap_months) IS NOT NULL AS ends,
    CASE WHEN ex.due_on > a.due_on THEN ex.due_on ELSE a.due_on END AS due_on, ex.exemption, ex.deferral
  FROM assignment a
  JOIN directive_version v ON v.id = a.directive_version_id
  JOIN requirement q ON q.directive_version_id = v.id
  LEFT JOIN ex ON ex.person_id = a.person_id
  WHERE a.directive_id = :directive AND a.from_on <= :d AND a.to_on >= :d AND {_known("a", "assignment")}),
r AS MATERIALIZED (
  SELECT h.person_id, h.position, h.ends, r.id, r.achieved_on, {part["until"]} AS valid_until
  FROM h JOIN record r ON r.person_id = h.person_id AND r.activity_id = h.activity_id
  WHERE r.achieved_on <= :d AND {_known("r", "record")} AND NOT EXISTS (
    SELECT 1 FROM revocation k WHERE k.record_id = r.id AND k.from_on <= :d AND {_known("k", "revocation")})),
w AS MATERIALIZED (
  SELECT h.*,
    (SELECT r.id FROM r WHERE r.person_id = h.person_id AND r.position = h.position
      ORDER BY CASE WHEN r.ends THEN r.achieved_on END DESC, r.achieved_on, r.id LIMIT 1) AS record_id,
    (SELECT min(r.achieved_on) FROM r WHERE r.person_id = h.person_id AND r.position = h.position
      AND r.valid_until >= h.due_on) AS met_on,
    (SELECT max(g.started_on) FROM registration g WHERE g.person_id = h.person_id
      AND g.activity_id = h.activity_id AND g.started_on <= :d AND {_known("g", "registration")}) AS begun_on
  FROM h)
SELECT w.person_id, w.position,
  CASE WHEN w.exemption IS NOT NULL THEN 8
    WHEN w.deferral IS NOT NULL THEN 7
    WHEN c.valid_until >= :d AND c.valid_until < '9999-12-31' AND c.valid_until <= {
        part["near"].replace("h.", "w.")
    } THEN 5
    WHEN c.valid_until >= :d THEN 6
    WHEN :d > w.due_on AND c.id IS NOT NULL THEN 2
    WHEN :d > w.due_on THEN 1
    WHEN w.begun_on IS NOT NULL AND (c.id IS NULL OR w.begun_on > c.achieved_on) THEN 4
    ELSE 3 END AS status,
  w.due_on, c.id AS record_id, CASE WHEN c.valid_until < '9999-12-31' THEN c.valid_until END AS valid_until,
  CASE WHEN w.met_on IS NULL THEN NULL WHEN w.met_on <= w.due_on THEN 0 ELSE {part["late"]} END AS late_days,
  coalesce(w.exemption, w.deferral) AS exclusion_id
FROM w LEFT JOIN r c ON c.id = w.record_id AND c.person_id = w.person_id AND c.position = w.position
""").bindparams(bindparam("t", type_=UtcDateTime()), bindparam("d", type_=Date()))


def witnessed(directive: int, d: date, t: datetime) -> dict[tuple[int, int], tuple[Any, ...]]:
    """By person and position: status, due_on, record, valid_until, late days, exclusion."""
    rows = db.session.execute(_statement(), {"directive": directive, "d": d, "t": t})
    return {
        (row.person_id, row.position): (
            row.status,
            _day(row.due_on),
            row.record_id,
            _day(row.valid_until),
            row.late_days,
            row.exclusion_id,
        )
        for row in rows
    }


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value
