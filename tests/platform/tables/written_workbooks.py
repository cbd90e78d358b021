"""Writes workbooks of each kind, and XLS and ODS files that say what a test wants them to say."""

import io
import struct
import zipfile
from datetime import date
from html import escape

import xlsxwriter

DAY_ZERO = date(1899, 12, 30)  # of a workbook's day numbers
FREE, END_OF_CHAIN, OF_LINKS = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns"
_SPACES = " ".join(
    f'xmlns:{name}="{_OFFICE}:{name}:1.0"' for name in ("office", "table", "text", "manifest", "style")
)


def xlsx(sheets, merges=(), hidden=()):
    """Sheets by name, each a list of rows; merges are (row, column, row, column) of the first sheet."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for place, (name, rows) in enumerate(sheets.items()):
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            elif hidden:
                sheet.activate()  # the first cannot be hidden while it is the active one
            for top, left, bottom, right in merges if place == 0 else ():
                sheet.merge_range(top, left, bottom, right, "")
            for number, values in enumerate(rows):
                for column, value in enumerate(values):
                    if value != "":
                        sheet.write(number, column, value, day if isinstance(value, date) else None)
    return content.getvalue()


def record(kind, data=b""):
    return struct.pack("<2H", kind, len(data)) + data


def _xls_cell(row, column, value):
    if isinstance(value, date):
        days = (value - DAY_ZERO).days
        return record(0x0203, struct.pack("<3Hd", row, column, 1, days))
    if isinstance(value, str):
        text = value.encode("utf-16-le")
        return record(0x0204, struct.pack("<4HB", row, column, 0, len(value), 1) + text)
    return record(0x0203, struct.pack("<3Hd", row, column, 0, value))


def xls_sheet(rows, merges=()):
    """The records of one sheet."""
    cells = b"".join(
        _xls_cell(number, column, value)
        for number, values in enumerate(rows)
        for column, value in enumerate(values)
        if value != ""
    )
    spans = b"".join(struct.pack("<4H", top, bottom, left, right) for top, left, bottom, right in merges)
    merged = record(0x00E5, struct.pack("<H", len(merges)) + spans) if merges else b""
    return begin(0x0010) + cells + merged + record(0x000A)


def begin(kind):
    return record(0x0809, struct.pack("<6H", 0x0600, kind, 0, 0, 0, 0) + bytes(4))


def xls_book(sheets, globals_=b"", sheet_type=0, starts=None):
    """The stream of a workbook: sheets are bytes by name; ``starts`` lies about where they are."""
    formats = record(0x00E0, struct.pack("<2H", 0, 0) + bytes(16))  # a plain cell, then a day
    formats += record(0x00E0, struct.pack("<2H", 0, 14) + bytes(16))
    names = [name.encode("utf-16-le") for name in sheets]
    head = begin(0x0005) + record(0x0042, struct.pack("<H", 1200)) + formats + globals_
    size = len(head) + sum(4 + 8 + len(name) for name in names) + 4
    index, body = b"", b""
    for place, (name, records) in enumerate(zip(names, sheets.values(), strict=True)):
        start = size + len(body) if starts is None else starts[place]
        entry = struct.pack("<LBBBB", start, 0, sheet_type, len(name) // 2, 1) + name
        index, body = index + record(0x0085, entry), body + records
    return head + index + record(0x000A) + body


def compound(streams, links=None):
    """A file of the old kind with these streams; each takes at least 4,096 bytes. ``links`` are lies."""
    pieces, chain, entries = [], [], []
    for name, content in streams.items():
        content = content.ljust(4096, b"\0")
        begin_at, number = len(pieces), -(-len(content) // 512)
        pieces += [content[n * 512 : n * 512 + 512].ljust(512, b"\0") for n in range(number)]
        chain += [*range(begin_at + 1, begin_at + number), END_OF_CHAIN]
        entries.append(_entry(name, 2, begin_at, len(content)))
    directory = b"".join([_entry("Root Entry", 5, END_OF_CHAIN, 0), *entries])
    directory += _entry("", 0, 0, 0) * (-len(directory) // 128 % 4)
    at, number = len(pieces), len(directory) // 512
    pieces += [directory[n * 512 : n * 512 + 512] for n in range(number)]
    chain += [*range(at + 1, at + number), END_OF_CHAIN]
    tables = -(-(len(chain) + 1) // 127)
    first = len(pieces)
    chain += [OF_LINKS] * tables
    for place, link in (links or {}).items():
        chain[place] = link
    table = struct.pack(f"<{len(chain)}L", *chain).ljust(tables * 512, b"\xff")
    pieces += [table[n * 512 : n * 512 + 512] for n in range(tables)]
    listed = [*range(first, first + tables), *[FREE] * (109 - tables)]
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<9L", 0, tables, at, 0, 4096, END_OF_CHAIN, 0, END_OF_CHAIN, 0)
    return head + struct.pack("<109L", *listed) + b"".join(pieces)


def _entry(name, kind, start, size):
    text = f"{name}\0".encode("utf-16-le")
    head = text.ljust(64, b"\0") + struct.pack(
        "<HBB3L", len(text), kind, 1, FREE, FREE, 1 if kind == 5 else FREE
    )
    return head + bytes(36) + struct.pack("<LQ", start, size)


def xls(sheets, merges=(), hidden=()):
    """As ``xlsx``; hidden sheets are not for this kind."""
    assert not hidden
    streams = {
        name: xls_sheet(rows, merges if place == 0 else ())
        for place, (name, rows) in enumerate(sheets.items())
    }
    return compound({"Workbook": xls_book(streams)})


def ods_cell(value, attributes=""):
    if value == "":
        return f"<table:table-cell {attributes}/>"
    if isinstance(value, date):
        kind = f'office:value-type="date" office:date-value="{value.isoformat()}"'
    elif isinstance(value, str):
        kind = 'office:value-type="string"'
    else:
        kind = f'office:value-type="float" office:value="{value}"'
    return f"<table:table-cell {kind} {attributes}><text:p>{escape(str(value))}</text:p></table:table-cell>"


def _ods_rows(rows, merges):
    for number, values in enumerate(rows):
        cells = ""
        for column, value in enumerate(values):
            spans = [span for span in merges if span[:2] == (number, column)]
            for top, left, bottom, right in spans:
                across, down = right - left + 1, bottom - top + 1
                size = f'table:number-columns-spanned="{across}" table:number-rows-spanned="{down}"'
                cells += ods_cell(value, size)
            cells += "" if spans else ods_cell(value)
        yield f"<table:table-row>{cells}</table:table-row>"


def ods(sheets, merges=(), hidden=()):
    """As ``xlsx``."""
    styles = '<style:style style:name="gone" style:family="table">'
    styles += '<style:table-properties table:display="false"/></style:style>'
    tables = ""
    for place, (name, rows) in enumerate(sheets.items()):
        style = 'table:style-name="gone"' if name in hidden else ""
        body = "".join(_ods_rows(rows, merges if place == 0 else ()))
        tables += f'<table:table table:name="{escape(name)}" {style}>{body}</table:table>'
    return ods_of(tables, styles=styles)


def ods_of(body, manifest="", styles="", **more):
    """An ODS whose spreadsheet has this body; ``more`` are other parts, with "__" for "/" in their names."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_SPACES}>'
        f"<office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    )
    listed = f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{MIMETYPE}"/>{manifest}'
    parts = {
        "META-INF/manifest.xml": f"<manifest:manifest {_SPACES}>{listed}</manifest:manifest>",
        "content.xml": content,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("mimetype", MIMETYPE, zipfile.ZIP_STORED)
        for name, data in (parts | {name.replace("__", "/"): data for name, data in more.items()}).items():
            packed.writestr(name, data)
    return out.getvalue()


WRITERS = {"xlsx": xlsx, "xls": xls, "ods": ods}
