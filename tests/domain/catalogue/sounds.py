"""Small sounds and films, made here: silence and a tone, with headers that say how long they are."""

import io
import math
import struct
import wave

SAMPLES = 8_000  # a second


def make_vtt(*cues: tuple[float, float, str]) -> bytes:
    """Captions of these times and words."""
    rows = [f"{_time(start)} --> {_time(end)}\n{words}\n" for start, end, words in cues]
    return ("WEBVTT\n\n" + "\n".join(rows)).encode()


def _time(seconds: float) -> str:
    return f"{int(seconds) // 60:02}:{seconds % 60:06.3f}"


def make_wav(seconds: float) -> bytes:
    """A quiet tone."""
    packed = io.BytesIO()
    with wave.open(packed, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLES)
        values = (round(3_000 * math.sin(n / 4)) for n in range(int(seconds * SAMPLES)))
        sound.writeframes(b"".join(struct.pack("<h", value) for value in values))
    return packed.getvalue()


def make_mp3(seconds: float) -> bytes:
    """Silent frames of layer III, 128 kbit/s at 44.1 kHz, behind an empty tag."""
    frame = b"\xff\xfb\x90\x00" + b"\0" * 413
    return b"ID3\4\0\0\0\0\0\0" + frame * round(seconds * 44_100 / 1152)


def make_ogg(seconds: float) -> bytes:
    """The first and the last page of a stream of Opus."""
    head = b"OpusHead\1\1" + struct.pack("<HLhB", 312, 48_000, 0, 0)
    return _ogg_page(0, 2, head) + _ogg_page(round(seconds * 48_000) + 312, 4, b"\xf8\xff\xfe")


def _ogg_page(samples: int, flags: int, content: bytes) -> bytes:
    return b"OggS\0" + bytes([flags]) + struct.pack("<qLLLBB", samples, 1, 0, 0, 1, len(content)) + content


def make_m4a(seconds: float) -> bytes:
    """The boxes of a sound in MPEG-4 that say how long it is."""
    return _box(b"ftyp", b"M4A \0\0\0\0M4A mp42") + _movie(seconds)


def make_mp4(seconds: float) -> bytes:
    """The boxes of a film in MPEG-4 that say how long it is."""
    return _box(b"ftyp", b"mp42\0\0\0\0mp42isom") + _movie(seconds)


def _movie(seconds: float) -> bytes:
    header = b"\0" * 12 + struct.pack(">LL", 1_000, round(seconds * 1_000)) + b"\0" * 80
    return _box(b"free", b"\0" * 20) + _box(b"moov", _box(b"mvhd", header))


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">L", len(content) + 8) + name + content


def make_webm(seconds: float) -> bytes:
    """The headers of a film in WebM."""
    head = b"\x1a\x45\xdf\xa3\x8b\x42\x86\x81\x01\x42\x82\x84webm"
    scale, length = b"\x2a\xd7\xb1\x83\x0f\x42\x40", b"\x44\x89\x88" + struct.pack(">d", seconds * 1_000)
    info = b"\x15\x49\xa9\x66" + bytes([0x80 | len(scale + length)]) + scale + length
    return head + b"\x18\x53\x80\x67" + bytes([0x80 | len(info)]) + info
