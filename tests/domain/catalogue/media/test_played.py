"""Sound and film: how long they are, and what captions have to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.catalogue.media import media_kind
from portal.domain.catalogue.media_rules import (
    PLAYED,
    CaptionError,
    check_captions,
    read_captions,
    read_length,
)
from tests.domain.catalogue.sounds import make_m4a, make_mp3, make_mp4, make_ogg, make_wav, make_webm

MAKERS = {
    "wav": make_wav,
    "mp3": make_mp3,
    "ogg": make_ogg,
    "m4a": make_m4a,
    "mp4": make_mp4,
    "webm": make_webm,
}


@pytest.mark.parametrize("kind", sorted(PLAYED))
def test_the_kind_and_the_length_are_read_from_the_content(kind):
    content = MAKERS[kind](12.5)

    assert media_kind(content) == kind
    assert read_length(kind, content) == pytest.approx(12.5, abs=0.05)


@given(kind=st.sampled_from(sorted(PLAYED)), cut=st.integers(0, 400), noise=st.binary(max_size=40))
def test_a_damaged_file_has_some_length_or_none_and_ends(kind, cut, noise):
    length = read_length(kind, MAKERS[kind](0.1)[:cut] + noise)

    assert length is None or 0 < length < 24 * 3600


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "must be WEBVTT"),
        ("WEBVTTX\n\n00:00.000 --> 00:01.000\nHi\n", 1, "must be WEBVTT"),
        ("WEBVTT\n00:00.000 --> 00:01.000\nHi\n", 2, "below WEBVTT empty"),
        ("WEBVTT\n\nNOTE nothing more\n", 1, "no caption in it"),
        ("WEBVTT\n\nHi\n", 3, "Write the times"),
        ("WEBVTT\n\n1\n0:00.000 --> 0:01.000\nHi\n", 4, "Write the times"),
        ("WEBVTT\n\n00:00,000 --> 00:01,000\nHi\n", 3, "Write the times"),
        ("WEBVTT\n\n00:00.000 --> 00:61.000\nHi\n", 3, "Write the times"),
        ("WEBVTT\n\n00:00.000 --> 00:01.000\n", 3, "no words"),
        ("WEBVTT\n\n00:00.000 --> 00:01.000\n<b></b>\n", 3, "no words"),
        ("WEBVTT\n\n00:00.000 --> 00:01.000\n<script>1</script>\n", 3, "only words"),
        ("WEBVTT\n\nSTYLE\n::cue {background: url(//x)}\n", 3, "Take out STYLE"),
        ("WEBVTT\n\n00:00.000 --> 00:01.000 line:0\nHi\n", 3, "Take out line"),
        ("WEBVTT\n\n00:02.000 --> 00:01.000\nHi\n", 3, "ends before it begins"),
        ("WEBVTT\n\n00:00.000 --> 00:02.000\nA\n\n00:01.000 --> 00:03.000\nB\n", 6, "begins before the one"),
        ("WEBVTT\n\n00:00.000 --> 00:11.000\nA\n", 3, "10.0 seconds long"),
        ("WEBVTT\n\n" + "00:00.000 --> 00:00.000\nA\n\n" * 3_000, 6003, "2,000 captions"),
        ("WEBVTT\n\n" + "a" * 300_000, 1, "256 KB"),
    ],
    ids=lambda value: str(value)[:30].replace("\n", "/"),
)
def test_captions_that_are_not_well_formed_or_not_in_step_are_refused_by_line(text, line, said):
    with pytest.raises(CaptionError, match=said) as refused:
        check_captions(text.encode(), 10.0)

    assert refused.value.line == line


def test_good_captions_are_read_with_times_and_words():
    text = (
        "\ufeffWEBVTT - a call\r\n\r\nNOTE made up\r\n\r\none\r\n00:00.000 --> 00:01.500 align:start\r\n"
        "<v Ana>Police,\r\nplease.</v>\r\n\r\n01:00:00.000 --> 01:00:01.000\r\nSo.\r\n"
    )

    cues = check_captions(text.encode(), None)

    assert [(cue.start, cue.end, cue.text) for cue in cues] == [
        (0, 1.5, "Police, please."),
        (3600, 3601, "So."),
    ]


def test_captions_that_are_no_text_are_refused():
    for content in (b"WEBVTT\n\n\xff", b"WEBVTT\n\n\0"):
        with pytest.raises(CaptionError):
            read_captions(content)
