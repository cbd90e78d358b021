"""What an answer holds, as lines that can be compared: pages, workbooks, PDFs, archives, and their texts.

What varies although nothing has changed is replaced by its name, in ``VARIANTS``.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader
from python_calamine import CalamineWorkbook

VARIANTS = (
    # Signed with the instant and a session's own secret.
    (re.compile(r'(name="csrf_token"[^>]*value=")[^"]+'), r"\1«token»"),
    (re.compile(r"(nonce[-=]\"?)[\w+/=-]{16,}"), r"\1«nonce»"),
    (re.compile(r"(/(?:set-password|sign-in/oidc)/)[\w.-]{20,}"), r"\1«link»"),
    (re.compile(r"\boicp_[\w-]{20,}"), "«access token»"),
    # Of what assets hold, which a comparison of pages is not about.
    (re.compile(r"(/static/[\w./-]*?)\.[0-9a-f]{16}(\.\w+)"), r"\1\2"),
    # Drawn at random, and hashes and signatures of what holds such a draw.
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "«uuid»"),
    (re.compile(r"\bOIC-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]\b"), "«record»"),
    (re.compile(r"\b[0-9a-f]{40,64}\b"), "«hash»"),
    (re.compile(r"\b(?:[0-9a-f]{4} ){7,15}[0-9a-f]{4}\b"), "«fingerprint»"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "«reference»"),
    (re.compile(r"(?<![\w/+])(?:[\w/+]{43}=|[\w/+]{86}==)(?![\w/+=])"), "«key or signature»"),
    # The instant stands still: each fact that is recorded gets the next microsecond.
    (re.compile(r"(\d\d(?::|%3A)\d\d(?::|%3A)\d\d)\.\d{6}"), r"\1.«stamp»"),
)
# Elements that stand in a line of text; every other begins a line of its own.
INLINE = set("a abbr b cite code dfn em i kbd mark q s small span strong sub sup time u var wbr".split())
VERBATIM = {"pre", "textarea", "script", "style"}
TOKENS = re.compile(r"(<!--.*?-->|<[^>]+>)", re.DOTALL)


def name_variants(words: str) -> str:
    """The text with tokens, hashes and random references replaced by what they are.

    >>> name_variants("Record OIC-AB12-CD34-E of a1b2c3d4-0000-4000-8000-000000000001")
    'Record «record» of «uuid»'
    """
    for pattern, name in VARIANTS:
        words = pattern.sub(name, words)
    return words


def read_content(kind: str, content: bytes) -> str:
    """What a file says, as lines.

    Args:
        kind: Its type, or the end of its name.
        content: Its bytes.
    """
    if content.startswith(b"%PDF"):
        return read_pdf(content)
    if content.startswith(b"PK") and zipfile.is_zipfile(io.BytesIO(content)):
        return read_archive(content)
    try:
        words = content.decode("utf-8")
    except UnicodeDecodeError:
        return f"{len(content)} bytes, {hashlib.sha256(content).hexdigest()[:12]}"
    if "html" in kind or "svg" in kind or "xml" in kind:
        return "\n".join(read_markup(words))
    if "json" in kind:
        return json.dumps(json.loads(words), indent=1, ensure_ascii=False)
    return words


def read_markup(words: str) -> Iterator[str]:
    """The lines of a page: each element one, its text the next, without space that shows nothing."""
    line, verbatim = "", ""
    for token in TOKENS.split(words):
        is_tag = bool(TOKENS.fullmatch(token))
        name = re.sub(r"</?([\w:-]*).*", r"\1", token, flags=re.DOTALL).lower() if is_tag else ""
        if verbatim and not (is_tag and name == verbatim):
            yield from token.splitlines()
            continue
        token = re.sub(r"\s+(?=/?>$)", "", re.sub(r"\s+", " ", token)) if is_tag else token
        if is_tag and name not in INLINE:
            if line.strip():
                yield line.strip()
            yield token
            line = ""
            verbatim = name if name in VERBATIM and not token.startswith("</") else ""
        else:
            line += re.sub(r"\s+", " ", token)
    if line.strip():
        yield line.strip()


def read_pdf(content: bytes) -> str:
    """What a PDF says of itself, its structure and its bookmarks, and the text of each page."""
    reader = PdfReader(io.BytesIO(content))
    root = reader.root_object
    told = {key: str(value) for key, value in (reader.metadata or {}).items()}
    told |= {key: str(root[key]) for key in ("/Lang", "/MarkInfo", "/ViewerPreferences") if key in root}
    lines = [f"{key} {value}" for key, value in sorted(told.items())]
    if "/StructTreeRoot" in root:
        lines += _read_structure(root["/StructTreeRoot"])
    for number, page in enumerate(reader.pages, start=1):
        lines += [f"--- page {number}, {page.mediabox.width} by {page.mediabox.height}", page.extract_text()]
    return "\n".join(lines)


def _read_structure(node: Any, depth: int = 0) -> Iterator[str]:
    node = node.get_object()
    if isinstance(node, list):
        for below in node:
            yield from _read_structure(below, depth)
    elif isinstance(node, dict):
        if "/S" in node:
            more = [f"{key} {node[key]}" for key in ("/Alt", "/Scope", "/E") if key in node]
            yield " ".join([" " * depth + node["/S"], *more])
        if "/K" in node:
            yield from _read_structure(node["/K"], depth + 1)


def read_archive(content: bytes) -> str:
    """The cells of a workbook and what its sheets say beside them, or the members of an archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if "xl/workbook.xml" in archive.namelist():
            return "\n".join(_read_workbook(content, archive))
        parts = [
            f"=== {name}\n{read_content(name.rpartition('.')[2], archive.read(name))}"
            for name in sorted(archive.namelist())
        ]
        return "\n".join(parts)


def _read_workbook(content: bytes, archive: zipfile.ZipFile) -> Iterator[str]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    for name in book.sheet_names:
        yield f"[{name}]"
        for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False):
            yield "\t".join(str(cell) for cell in row)
    for member in sorted(archive.namelist()):
        if member.startswith("xl/worksheets/sheet") or member in {"xl/styles.xml", "docProps/core.xml"}:
            words = archive.read(member).decode()
            yield f"=== {member}"
            yield from read_markup(re.sub(r"<sheetData>.*</sheetData>", "", words, flags=re.DOTALL))
