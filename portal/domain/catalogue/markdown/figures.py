"""The ``::: figure`` block: the picture, a second one for phones, and a text alternative."""

from markupsafe import escape

from portal.domain.catalogue.markdown.render_context import TextLocation
from portal.domain.catalogue.media.media_types import CONTENT_TYPES, MediaFile, narrow_path
from portal.domain.catalogue.media.played import FILMS, PLAYED, captions_path

IMAGE_KINDS = frozenset({"svg", "png", "jpg", "webp"})
PHONE_QUERY = "(max-width: 640px)"


def find_media_file(path: str, location: TextLocation, line: int) -> MediaFile | None:
    """Return the media file at ``path``; None, with a fault added, if there is none."""
    medium = location.context.media.get(path)
    if medium is None and path and path not in location.context.addresses:
        location.add_fault(line, f"There is no {path} in the module's folder. Add it, or correct the name.")
    return medium


def figure_open(medium: MediaFile, location: TextLocation, first_words: str) -> str:
    """Render the figure up to its text alternative.

    Args:
        medium: The media file to show.
        location: The text that contains the figure.
        first_words: The first paragraph of the text alternative, for a picture that has no title itself.
    """
    address = location.context.addresses[medium.path]
    media_html = _media_element(medium, location, first_words)
    location.context.shown_media.add(medium.path)
    name = escape(_figure_name(medium, first_words))
    full_stop = "" if name.endswith((".", "?", "!")) else "."
    summary = "Read the transcript" if medium.kind in PLAYED else "Read what this figure shows"
    return (
        f'<figure class="portal-figure">{media_html}<figcaption><p>{name}{full_stop} '
        f'<a class="govuk-link" href="{escape(address)}"{_link_words(medium)}'
        f'<span class="govuk-visually-hidden">: {name}</span></a></p>'
        '<details class="govuk-details"><summary class="govuk-details__summary">'
        f'<span class="govuk-details__summary-text">{summary}</span></summary>'
        '<div class="govuk-details__text">'
    )


def figure_close() -> str:
    """Render the end of a figure, after its text alternative."""
    return "</div></details></figcaption></figure>\n"


def _link_words(medium: MediaFile) -> str:
    """The end of the link's tag, and its words: what plays is downloaded, and all else opened."""
    if medium.kind in PLAYED:
        return f' download="">Download the {"film" if medium.kind in FILMS else "sound"}'
    return f">Open the {'figure' if medium.kind in IMAGE_KINDS else 'file'} on its own"


def _figure_name(medium: MediaFile, first_words: str) -> str:
    return medium.drawing.title if medium.drawing else first_words


def _media_element(medium: MediaFile, location: TextLocation, first_words: str) -> str:
    address = escape(location.context.addresses[medium.path])
    if medium.kind in PLAYED:
        return _player(medium, location, first_words)
    if medium.kind in {"pdf", "vtt"}:
        return ""
    narrow = location.context.media.get(narrow_path(medium.path))
    source = ""
    if narrow is not None:
        other = escape(location.context.addresses[narrow.path])
        kind = CONTENT_TYPES[narrow.kind].partition(";")[0]
        source = f'<source media="{PHONE_QUERY}" srcset="{other}" type="{kind}"{_size_attributes(narrow)}>'
    image = (
        f'<img src="{address}" alt="{escape(_figure_name(medium, first_words))}"{_size_attributes(medium)}>'
    )
    return f"<picture>{source}{image}</picture>"


def _player(medium: MediaFile, location: TextLocation, first_words: str) -> str:
    """The player of a sound or film, which loads nothing but its captions until it is started.

    A sound is in a ``<video>`` too, as a strip: only that element shows captions without a script.
    """
    address = escape(location.context.addresses[medium.path])
    captions = escape(location.context.addresses.get(captions_path(medium.path), ""))
    track = f'<track kind="captions" srclang="en" label="English" src="{captions}" default="">'
    noun, name = ("Film", "portal-film") if medium.kind in FILMS else ("Sound", "portal-sound")
    return (
        f'<video class="{name}" aria-label="{noun}: {escape(first_words)}" controls="" preload="none"'
        f' src="{address}">{track}</video>'
    )


def _size_attributes(medium: MediaFile) -> str:
    drawing = medium.drawing
    return f' width="{drawing.width}" height="{drawing.height}"' if drawing else ""
