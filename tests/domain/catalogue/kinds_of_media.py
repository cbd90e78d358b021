"""A small file of each kind of medium, and a module whose one lesson shows them all."""

from pathlib import Path

from tests.domain.catalogue.folders import lesson, write
from tests.domain.catalogue.sounds import make_m4a, make_mp3, make_ogg, make_vtt, make_wav, make_webm

FILES = {
    "photo.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\nIDATx\x9cc\0\1\0\0\5\0\1\r\n-\xb4\0\0\0\0IEND\xaeB`\x82",
    "scan.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xd9",
    "other.jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\2\0\2\0\0\xff\xd9",
    "map.webp": b"RIFF\x1a\0\0\0WEBPVP8L\r\0\0\0/\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0",
    "film.mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 64,
    "film.vtt": make_vtt((0, 2, "A van stops.")),
    "scene.webm": make_webm(3),
    "scene.vtt": make_vtt((0, 2, "A door opens.")),
    "call.mp3": make_mp3(3),
    "call.vtt": make_vtt((0, 1.5, "<v Ana>Police, please.</v>"), (1.5, 3, "Where are you?")),
    "radio.ogg": make_ogg(3),
    "radio.vtt": make_vtt((0, 2, "Control from one.")),
    "voice.m4a": make_m4a(3),
    "voice.vtt": make_vtt((0, 2, "Leave a message.")),
    "tone.wav": make_wav(3),
    "tone.vtt": make_vtt((0, 1, "[A tone begins]"), (1, 3, "[It goes on]")),
    "form.pdf": b"%PDF-1.7\n%%EOF\n",
}
TYPES = {
    "photo.png": "image/png",
    "scan.jpg": "image/jpeg",
    "other.jpeg": "image/jpeg",
    "map.webp": "image/webp",
    "film.mp4": "video/mp4",
    "scene.webm": "video/webm",
    "call.mp3": "audio/mpeg",
    "radio.ogg": "audio/ogg",
    "voice.m4a": "audio/mp4",
    "tone.wav": "audio/wav",
    **dict.fromkeys([name for name in FILES if name.endswith(".vtt")], "text/vtt; charset=utf-8"),
    "form.pdf": "application/pdf",
}
SHOWN = [name for name in FILES if not name.endswith(".vtt")]
PLAYED = [name for name in SHOWN if TYPES[name].startswith(("audio/", "video/"))]
WORDS = {name: f"What {name.partition('.')[0]} holds, in words." for name in SHOWN}


def write_media_module(folder: Path, changes: dict[str, str | bytes | None] | None = None) -> Path:
    """The sample module with a figure of each kind in its first lesson, as files below ``folder``."""
    figures = [f"::: figure media/{name}\n{WORDS[name]}\n\nAnd more of it.\n:::\n" for name in SHOWN]
    files: dict[str, str | bytes | None] = {f"sample/media/{name}": held for name, held in FILES.items()}
    return write(folder, {**files, "sample/lessons/first.md": lesson("\n".join(figures)), **(changes or {})})
