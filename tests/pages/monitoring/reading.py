"""Reads the files of a report as a spreadsheet or a program does."""

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook
from werkzeug.test import TestResponse

from tests.page_reading import PortalClient
from tests.pages.monitoring.world import REPORT


def csv_rows(client: PortalClient, query: str = "") -> list[dict[str, str]]:
    response = client.get(f"{REPORT}/completions.csv{query}")
    assert response.status_code == 200, response.status_code
    return parsed(response.get_data(as_text=True))


def parsed(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def xlsx_rows(client: PortalClient, query: str = "") -> list[dict[str, Any]]:
    response = client.get(f"{REPORT}/completions.xlsx{query}")
    assert response.status_code == 200, response.status_code
    return sheet(response)


def sheet(response: TestResponse) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        path.write_bytes(response.data)
        return sheet_of(path)


def sheet_of(path: Path) -> list[dict[str, Any]]:
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
