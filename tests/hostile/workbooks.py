"""Workbooks and archives that no program of a force writes, made by code."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import xlsxwriter

SHEET = "xl/worksheets/sheet1.xml"
Change = Callable[[bytes], bytes]


def plain(*rows: Iterable[object]) -> bytes:
    """A workbook as a writer makes it."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        for number, values in enumerate(rows or (["staff_number"], ["R1"])):
            sheet.write_row(number, 0, values)
    return content.getvalue()


def parts(content: bytes) -> dict[str, bytes]:
    """The parts of a workbook by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(content: bytes, **changes: Change | bytes) -> bytes:
    """The workbook with parts changed or added; ``__`` in a name stands for ``/``."""
    held = parts(content)
    for name, change in changes.items():
        place = name.replace("__", "/")
        held[place] = change(held[place]) if callable(change) else change
    return packed(held)


def packed(held: dict[str, bytes]) -> bytes:
    """An archive of these parts, with nothing special about it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in held.items():
            archive.writestr(name, data)
    return content.getvalue()


def with_cells(xml: bytes, *rows: Iterable[object]) -> bytes:
    """A workbook whose first sheet has these elements behind its rows."""
    return changed(
        plain(*rows),
        **{"xl__worksheets__sheet1.xml": lambda d: d.replace(b"</sheetData>", xml + b"</sheetData>")},
    )


@dataclass
class Piece:
    """An entry of an archive whose every header can lie."""

    name: bytes
    data: bytes
    flags: int = 0
    method: int = 8
    local: dict[str, int | bytes] = field(default_factory=dict)  # what its own header says otherwise
    central: dict[str, int | bytes] = field(default_factory=dict)  # what the directory says otherwise
    before: bytes = b""  # that stands before it
    after: bytes | None = None  # the descriptor; None: one where the flag asks for it
    comment: bytes = b""

    def headers(self) -> tuple[bytes, dict[str, int | bytes]]:
        engine = zlib.compressobj(wbits=-15)
        data = engine.compress(self.data) + engine.flush() if self.method == 8 else self.data
        said = {
            "name": self.name,
            "flags": self.flags,
            "method": self.method,
            "crc": zlib.crc32(self.data),
            "packed": len(data),
            "unpacked": len(self.data),
            "extra": b"",
            "mode": 0,
            "disk": 0,
            "system": 20,
        }
        return data, said


def archive(
    pieces: list[Piece], *, before_end: bytes = b"", behind: bytes = b"", **end: int | bytes
) -> bytes:
    """An archive written header by header."""
    out, directory = b"", b""
    for piece in pieces:
        data, said = piece.headers()
        out += piece.before
        at = len(out)
        late = {"crc": 0, "packed": 0, "unpacked": 0} if piece.flags & 8 else {}
        own = said | late | piece.local
        out += struct.pack(
            "<4s5H3L2H",
            b"PK\x03\x04",
            20,
            own["flags"],
            own["method"],
            0,
            33,
            own["crc"],
            own["packed"],
            own["unpacked"],
            len(own["name"]),
            len(own["extra"]),
        )
        out += own["name"] + own["extra"] + data
        if piece.flags & 8:
            told = struct.pack("<4s3L", b"PK\x07\x08", said["crc"], said["packed"], said["unpacked"])
            out += told if piece.after is None else piece.after
        told = said | {"offset": at} | piece.central
        directory += struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            told["system"],
            20,
            told["flags"],
            told["method"],
            0,
            33,
            told["crc"],
            told["packed"],
            told["unpacked"],
            len(told["name"]),
            len(told["extra"]),
            len(piece.comment),
            told["disk"],
            0,
            told["mode"],
            told["offset"],
        )
        directory += told["name"] + told["extra"] + piece.comment
    last = {"disk": 0, "here": len(pieces), "count": len(pieces), "size": len(directory), "start": len(out)}
    last |= {"comment": b""} | end
    out += directory + before_end
    out += struct.pack(
        "<4s4H2LH",
        b"PK\x05\x06",
        last["disk"],
        last["disk"],
        last["here"],
        last["count"],
        last["size"],
        last["start"],
        len(last["comment"]),
    )
    return out + last["comment"] + behind


def pieces(content: bytes | None = None) -> list[Piece]:
    """A workbook's parts, each as a piece that can lie."""
    return [Piece(name.encode(), data) for name, data in parts(content or plain()).items()]
