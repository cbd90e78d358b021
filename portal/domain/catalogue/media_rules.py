"""What a drawing, a sound or a film must be before it is published."""

import re
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from portal.platform.isolation.messages import MEBIBYTE

# The allow-list of drawings: elements and attributes not listed here are refused by name.
#
# Runs in a separate process: the portal calls ``portal.domain.catalogue.media``.

SVG = "{http://www.w3.org/2000/svg}"
XML = "{http://www.w3.org/XML/1998/namespace}"

ELEMENTS = frozenset(
    "svg title desc defs g rect circle ellipse line path polygon polyline text tspan marker symbol use"
    " linearGradient radialGradient stop clipPath mask pattern".split()
)
ATTRIBUTES = frozenset(
    "id class role aria-label aria-labelledby aria-describedby aria-hidden lang viewBox preserveAspectRatio"
    " version x y x1 y1 x2 y2 cx cy r rx ry fx fy dx dy d points width height transform rotate pathLength"
    " fill fill-opacity fill-rule stroke stroke-width stroke-dasharray stroke-dashoffset stroke-linecap"
    " stroke-linejoin stroke-miterlimit stroke-opacity opacity color display visibility vector-effect"
    " font-family font-size font-style font-weight font-variant letter-spacing word-spacing text-anchor"
    " text-decoration dominant-baseline alignment-baseline baseline-shift textLength lengthAdjust"
    " marker-start marker-mid marker-end markerWidth markerHeight markerUnits orient refX refY"
    " gradientUnits gradientTransform spreadMethod offset stop-color stop-opacity clip-path clip-rule"
    " clipPathUnits mask maskUnits maskContentUnits patternUnits patternContentUnits patternTransform"
    " href focusable shape-rendering text-rendering paint-order xml:space".split()
)
MAX_DRAWN = 20_000  # elements; one that is reused counts each time it is drawn
MAX_DEPTH = 60  # levels of nesting
_OWN = re.compile(r"url\s*\(\s*#([\w\-]+)\s*\)")
_OUTSIDE = re.compile(r"url\s*\((?!\s*#[\w\-]+\s*\))|\\|javascript:|data:|expression\s*\(|@import", re.I)


@dataclass(frozen=True)
class Drawing:
    """The title, description and proportions of a drawing."""

    title: str
    description: str
    width: int  # meaningful only in proportion to the height
    height: int


class DrawingError(ValueError):
    """A drawing that cannot be published; ``line`` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(reason)


def read_drawing(content: bytes) -> Drawing:
    """Check a drawing and return its title, description and size.

    Raises:
        DrawingError: It has something that is not on the allow-list, or lacks title, description or size.
    """
    text = _plain_text(content)
    try:
        root = ElementTree.fromstring(text, forbid_dtd=True)
    except ParseError as error:
        raise DrawingError(error.position[0], "This is not well-formed SVG.") from error
    except DefusedXmlException as error:
        raise DrawingError(1, "Take out the document type and its entities.") from error
    if root.tag != f"{SVG}svg":
        raise DrawingError(1, 'The outermost element must be <svg xmlns="http://www.w3.org/2000/svg">.')
    for element in root.iter():
        _check_element(element, text)
    _refuse_oversized(root, text)
    width, height = _view_box_size(root, text)
    return Drawing(_child_text(root, "title"), _child_text(root, "desc"), width, height)


def read_each(_arguments: Any, pieces: list[bytes]) -> tuple[Any, list[bytes]]:
    """Run ``read_drawing`` on every piece; an error is returned as its text and line."""
    answers: list[dict[str, Any]] = []
    for content in pieces:
        try:
            answers.append(asdict(read_drawing(content)))
        except DrawingError as error:
            answers.append({"refused": str(error), "line": error.line})
    return answers, []


def _refuse_oversized(root: Element, text: str) -> None:
    """Raise an error for a drawing that contains itself, or draws too many elements for a browser."""
    elements_by_id: dict[str, list[Element]] = {}
    for element in root.iter():
        if "id" in element.attrib:
            elements_by_id.setdefault(element.attrib["id"], []).append(element)
    counts: dict[Element, int | None] = {}
    if _count_drawn(root, elements_by_id, counts, 0) > MAX_DRAWN:
        raise DrawingError(
            _line_of(text, "<use"), f"This drawing draws more than {MAX_DRAWN:,} shapes. Simplify it."
        )


def _count_drawn(
    element: Element, elements_by_id: dict[str, list[Element]], counts: dict[Element, int | None], depth: int
) -> int:
    """Count the elements that this one draws; ``counts`` caches results, None while in progress."""
    if depth > MAX_DEPTH:
        raise DrawingError(1, f"This drawing nests elements more than {MAX_DEPTH} deep. Simplify it.")
    if element in counts:
        count = counts[element]
        if count is None:
            raise DrawingError(
                1, "A part of this drawing is drawn inside itself. Take out the reference to it."
            )
        return count
    counts[element] = None
    used = [other for name in _referenced_ids(element) for other in elements_by_id.get(name, ())]
    count = 1 + sum(_count_drawn(other, elements_by_id, counts, depth + 1) for other in (*element, *used))
    counts[element] = count = min(count, MAX_DRAWN + 1)
    return count


def _referenced_ids(element: Element) -> Iterator[str]:
    for name, value in element.attrib.items():
        if name == "href":
            yield value[1:]
        else:
            yield from _OWN.findall(value)


def _plain_text(content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DrawingError(1, "Save the drawing as UTF-8.") from error
    declaration = re.match(r"<\?xml\s[^>]*\?>", text)
    if declaration:
        encoding = re.search(r"encoding\s*=\s*[\"']([^\"']*)", declaration[0])
        if encoding and encoding[1].lower() != "utf-8":
            raise DrawingError(1, "Save the drawing as UTF-8.")
        text = " " * len(declaration[0]) + text[len(declaration[0]) :]
    if "<?" in text:
        raise DrawingError(_line_of(text, "<?"), "Take out the processing instruction (<?…?>).")
    return text.lstrip(" ") if declaration else text


def _check_element(element: Element, text: str) -> None:
    tag = str(element.tag)
    name = tag.removeprefix(SVG)
    if not tag.startswith(SVG) or name not in ELEMENTS:
        local_name = tag.rpartition("}")[2]
        raise DrawingError(
            _line_of(text, local_name), f"A drawing may not contain <{local_name}>. Take it out."
        )
    for attribute, value in element.attrib.items():
        _check_attribute(name, attribute.replace(XML, "xml:"), value, text)


def _check_attribute(element: str, attribute: str, value: str, text: str) -> None:
    local_name = attribute.rpartition("}")[2]
    if attribute not in ATTRIBUTES and attribute != "xml:lang":
        reason = f"<{element}> may not have “{local_name}”. Take it out."
    elif attribute == "href" and not re.fullmatch(r"#[\w\-]+", value):
        reason = f'<{element}> may only refer to its own drawing (href="#name").'
    elif not attribute.startswith("aria-") and _OUTSIDE.search(value):
        reason = f"“{local_name}” of <{element}> refers to something outside the drawing. Take it out."
    else:
        return
    raise DrawingError(_line_of(text, f"{local_name}="), reason)


def _child_text(root: Element, name: str) -> str:
    child = root.find(f"{SVG}{name}")
    text = " ".join("".join(child.itertext()).split()) if child is not None else ""
    if not text:
        raise DrawingError(
            1, f"Add a <{name}> as a child of <svg>: people who cannot see the drawing need it."
        )
    return text


def _view_box_size(root: Element, text: str) -> tuple[int, int]:
    numbers = list(_parse_numbers(root.get("viewBox", "")))
    if len(numbers) != 4 or numbers[2] < 1 or numbers[3] < 1:
        raise DrawingError(_line_of(text, "<svg"), 'Give <svg> a viewBox such as viewBox="0 0 1000 400".')
    return round(numbers[2]), round(numbers[3])


def _parse_numbers(text: str) -> Iterator[float]:
    for part in re.split(r"[\s,]+", text.strip()):
        if not re.fullmatch(r"-?\d{1,6}(\.\d{1,6})?", part):
            return
        yield float(part)


def _line_of(text: str, needle: str) -> int:
    index = text.find(needle)
    return text[: max(index, 0)].count("\n") + 1


# Rules for sound and film: how large, how long, and whether their captions are in step with them.
#
# Lengths are read from a file's own headers with bounded loops; a file that does not say has none.

SOUNDS = frozenset({"mp3", "ogg", "m4a", "wav"})
FILMS = frozenset({"mp4", "webm"})
PLAYED = SOUNDS | FILMS
SOUND_BYTES = 10 * MEBIBYTE
FILM_BYTES = 25 * MEBIBYTE
CAPTION_BYTES = 256 * 1024
MOST_CUES = 2_000
SLACK = 0.5  # seconds that the last caption may stay beyond the end

_TIME = r"(?:(\d{2,3}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING = re.compile(rf"{_TIME}[ \t]+-->[ \t]+{_TIME}((?:[ \t]+[a-z]+:[^\s]+)*)[ \t]*")
_PLACED = re.compile(r"[ \t](?:line|vertical|region):")
_TAG = re.compile(r"</?(?:b|i|u|c|v|lang)(?:\.[\w\-]+)*(?:[ \t][^<>]*)?>")


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption; times are seconds from the start."""

    start: float
    end: float
    text: str
    line: int  # of its times


class CaptionError(ValueError):
    """Captions that cannot be published; ``line`` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(reason)


def most_bytes(kind: str) -> int | None:
    """The most bytes of a file of this kind; None where this room sets no limit."""
    return SOUND_BYTES if kind in SOUNDS else FILM_BYTES if kind in FILMS else None


def captions_path(path: str) -> str:
    """The path of the captions of a sound or film.

    >>> captions_path("media/call.mp3")
    'media/call.vtt'
    """
    return f"{path.rpartition('.')[0]}.vtt"


def check_captions(content: bytes, length: float | None) -> list[Cue]:
    """Read captions and check that they are in step: in order, one at a time, within the length.

    Args:
        content: A file of WebVTT.
        length: Of the sound or film in seconds; None: not known.

    Raises:
        CaptionError: They are not well-formed, or not in step.
    """
    cues = read_captions(content)
    before = 0.0
    for cue in cues:
        if cue.end <= cue.start:
            raise CaptionError(cue.line, "This caption ends before it begins. Correct its times.")
        if cue.start < before:
            raise CaptionError(
                cue.line, "This caption begins before the one above it ends. Correct its times."
            )
        before = cue.end
    if length is not None and before > length + SLACK:
        reason = f"This caption ends after the sound or film, which is {length:.1f} seconds long."
        raise CaptionError(cues[-1].line, f"{reason} Correct its times.")
    return cues


def read_captions(content: bytes) -> list[Cue]:
    """The captions of a file of WebVTT, in its order.

    Raises:
        CaptionError: It is not well-formed, or holds no caption.
    """
    lines = _decode_lines(content)
    if not re.fullmatch(r"WEBVTT(?:[ \t].*)?", lines[0]):
        raise CaptionError(1, "The first line of captions must be WEBVTT.")
    if len(lines) > 1 and lines[1].strip():
        raise CaptionError(2, "Leave the line below WEBVTT empty.")
    cues: list[Cue] = []
    for number, block in _split_blocks(lines):
        if number > 1 and not re.match(r"NOTE(?:[ \t]|$)", block[0]):
            cues.append(_read_cue(number, block))
        if len(cues) > MOST_CUES:
            raise CaptionError(number, f"There are more than {MOST_CUES:,} captions.")
    if not cues:
        raise CaptionError(1, "There is no caption in it. Write what is said, with its times.")
    return cues


def _decode_lines(content: bytes) -> list[str]:
    if len(content) > CAPTION_BYTES:
        raise CaptionError(1, f"Captions may have up to {CAPTION_BYTES // 1024} KB.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CaptionError(line, "Save the captions as UTF-8.") from error
    if "\0" in text:
        raise CaptionError(1, "Take out the invisible characters.")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _split_blocks(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """The blocks between empty lines, each with the number of its first line."""
    block: list[str] = []
    for number, line in enumerate([*lines, ""], 1):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def _read_cue(number: int, block: list[str]) -> Cue:
    first = block[0]
    if first.split()[0] in {"STYLE", "REGION"}:
        raise CaptionError(number, f"Take out {first.split()[0]}: the portal shows captions in one way.")
    at = 0 if "-->" in first else 1
    timing = _TIMING.fullmatch(block[at]) if len(block) > at else None
    line = number + min(at, len(block) - 1)
    if timing is None:
        raise CaptionError(line, "Write the times of a caption as 00:00.000 --> 00:02.500.")
    if _PLACED.search(timing[9]):
        raise CaptionError(line, "Take out line, vertical and region: captions have one place here.")
    text = " ".join(" ".join(block[at + 1 :]).split())
    words = _TAG.sub("", text)
    if not words.strip():
        raise CaptionError(line, "This caption has no words.")
    if "<" in words or "-->" in words:
        raise CaptionError(line, "A caption may have only words, and <v Name> for who speaks.")
    return Cue(_seconds_of_timing(timing, 1), _seconds_of_timing(timing, 5), words, line)


def _seconds_of_timing(timing: re.Match[str], first: int) -> float:
    hours, minutes, seconds, thousandths = (int(timing[first + n] or 0) for n in range(4))
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def read_length(kind: str, content: bytes) -> float | None:
    """The length of a sound or film in seconds, as its headers say; None where they do not."""
    try:
        length = _LENGTHS[kind](content)
    except (struct.error, IndexError, ZeroDivisionError, KeyError):
        return None
    return length if length and 0 < length < 24 * 3600 else None


def _wav_length(content: bytes) -> float | None:
    at, rate = 12, 0
    while at + 8 <= len(content):
        name, size = content[at : at + 4], struct.unpack_from("<L", content, at + 4)[0]
        if name == b"fmt ":
            rate = struct.unpack_from("<L", content, at + 16)[0]  # bytes a second
        elif name == b"data":
            return float(min(size, len(content) - at - 8) / rate)
        at += 8 + size + size % 2
    return None


def _ogg_length(content: bytes) -> float | None:
    """The place of the last page, in samples."""
    last = content.rfind(b"OggS")
    samples = struct.unpack_from("<q", content, last + 6)[0]
    vorbis = content[:256].find(b"\x01vorbis")
    if vorbis >= 0:
        return float(samples / struct.unpack_from("<L", content, vorbis + 12)[0])
    opus = content[:256].find(b"OpusHead")
    if opus < 0:
        return None
    skipped = struct.unpack_from("<H", content, opus + 10)[0]
    return float((samples - skipped) / 48_000)


def _mp4_length(content: bytes) -> float | None:
    movie = _find_box(content, b"moov", 0, len(content))
    header = _find_box(content, b"mvhd", *movie) if movie else None
    if header is None:
        return None
    at = header[0]
    if content[at] == 1:
        scale, length = struct.unpack_from(">LQ", content, at + 20)
    else:
        scale, length = struct.unpack_from(">LL", content, at + 12)
    return float(length / scale)


def _find_box(content: bytes, name: bytes, at: int, end: int) -> tuple[int, int] | None:
    """Where the content of a box begins and ends; every box has at least eight bytes."""
    while at + 8 <= end:
        size = struct.unpack_from(">L", content, at)[0]
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", content, at + 8)[0], 16
        size = size or end - at
        if size < head or at + size > end:
            return None
        if content[at + 4 : at + 8] == name:
            return at + head, at + size
        at += size
    return None


def _webm_length(content: bytes) -> float | None:
    """The duration in the segment's information, which is near its beginning."""
    head = content[: 64 * 1024]
    place = head.find(b"\x44\x89")  # Duration
    scale_at = head.find(b"\x2a\xd7\xb1")  # TimestampScale, in nanoseconds
    if place < 0:
        return None
    size = head[place + 2] & 0x7F
    ticks = struct.unpack_from(">d" if size == 8 else ">f", head, place + 3)[0]
    scale = 1_000_000
    if scale_at >= 0:
        width = head[scale_at + 3] & 0x7F
        scale = int.from_bytes(head[scale_at + 4 : scale_at + 4 + width], "big")
    return float(ticks * scale / 1e9)


_BITRATES = {  # kilobits a second by index, of MPEG 1 and of MPEG 2 and 2.5, layer III
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def _mp3_length(content: bytes) -> float | None:
    """The sum of all frames; each has at least four bytes."""
    at, length = _after_tag(content), 0.0
    while at + 4 <= len(content):
        frame = _read_frame(content, at)
        if frame is None:
            break
        size, seconds = frame
        at, length = at + size, length + seconds
    return length or None


def _after_tag(content: bytes) -> int:
    if not content.startswith(b"ID3"):
        return 0
    size = 0
    for byte in content[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _read_frame(content: bytes, at: int) -> tuple[int, float] | None:
    """Bytes and seconds of the frame at this place; None where there is none of layer III."""
    sync, second, third = content[at : at + 3]
    version, layer = second >> 3 & 3, second >> 1 & 3
    if sync != 0xFF or second & 0xE0 != 0xE0 or version == 1 or layer != 1 or third >> 2 & 3 == 3:
        return None
    rate = _RATES[version][third >> 2 & 3]
    bits = _BITRATES[version == 3][third >> 4] * 1000
    samples = 1152 if version == 3 else 576
    size = samples // 8 * bits // rate + (third >> 1 & 1)
    return (size, samples / rate) if size >= 4 else None


_LENGTHS = {
    "wav": _wav_length,
    "ogg": _ogg_length,
    "m4a": _mp4_length,
    "mp4": _mp4_length,
    "webm": _webm_length,
    "mp3": _mp3_length,
}
