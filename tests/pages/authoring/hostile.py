"""Hostile inputs: what somebody might write so that a script of theirs runs in a reader's browser.

Whatever runs leaves a mark: ``RUN`` sets ``data-ran`` on the document, which a browser can be asked for.
"""

from itertools import product
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from portal.domain.catalogue.markdown import RenderContext, TextLocation
from portal.domain.catalogue.media import MediaFile
from portal.domain.catalogue.media_rules import read_drawing
from portal.domain.catalogue.source_files import parse_shared
from portal.platform.formats.toml_tables import Faults
from tests.domain.catalogue.folders import GLOSSARY, SVG

T = TypeVar("T")
RUN = "document.documentElement.dataset.ran=1"
SCRIPT = f"<script>{RUN}</script>"
TAGS = (
    "img src=x",
    "svg",
    "body",
    "details open",
    "video src=x",
    "input autofocus",
    "a href=x",
    "math",
    "x-y",
)
HANDLERS = ("onerror", "onload", "onfocus", "ontoggle", "onmouseover", "ONCLICK", "on\ttoggle", "onbegin")
SCHEMES = (
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f"java\tscript:{RUN}",
    f"java&#10;script:{RUN}",
    f"&#106;avascript:{RUN}",
    f"javascript&colon;{RUN}",
    f"%6Aavascript:{RUN}",
    f"javascript%3A{RUN}",
    f"\x01javascript:{RUN}",
    f"//javascript:{RUN}",
    f"vbscript:{RUN}",
    f"data:text/html,{SCRIPT}",
    f"data:image/svg+xml,<svg onload={RUN}>",
    f"blob:{RUN}",
    "file:///etc/passwd",
    f"feed:javascript:{RUN}",
    f"view-source:javascript:{RUN}",
    f"https:javascript:{RUN}",
    f"media/../javascript:{RUN}",
    f'https://x.example/"onmouseover="{RUN}',
    f"https://x.example/' onmouseover='{RUN}",
)
LINKS = (
    "[x]({0})",
    "[x](<{0}>)",
    '[x]({0} "{0}")',
    "<{0}>",
    "[x]\n\n[x]: {0}",
    "![x]({0})",
    "[![x]({0})]({0})",
    "<a href={0}>x</a>",
    "| a |\n|---|\n| [x]({0}) |",
    "::: details [x]({0})\nx\n:::",
    "::: figure {0}\nx\n:::",
)
# Shapes that one parser reads otherwise than another; whatever hides an element from the allow-list.
SHAPES = (
    "<noscript><p title='</noscript>{0}'>",
    "<math><mtext><table><mglyph><style><!--</style>{0}",
    "<svg></p><style><a id='</style>{0}'>",
    "<form><math><mtext></form><form><mglyph><svg><mtext><style><path id='</style>{0}'>",
    "<select><template>{0}</template></select>",
    "<textarea></textarea>{0}",
    "<title></title>{0}",
    "<xmp></xmp>{0}",
    "<!--><a>{0}-->",
    "<![CDATA[{0}]]>",
    "<?x {0}?>",
    "<plaintext>{0}",
    "<iframe srcdoc='{0}'></iframe>",
    "<object data='data:text/html,{0}'></object>",
    "<embed src='data:text/html,{0}'>",
    "<template>{0}</template>",
    "<svg><foreignObject>{0}</foreignObject></svg>",
    "<svg><use href='data:image/svg+xml,{0}'/></svg>",
    "<table><tr><td>{0}",
    "<base href='//evil.example/'>{0}",
    "<meta http-equiv=refresh content='0;url=data:text/html,{0}'>",
    "<link rel=stylesheet href='data:text/css,{0}'>",
    "`{0}`",
    "```{0}\n{0}\n```",
    "    {0}",
    "~~~ \"'>{0}\nx\n~~~",
    "# {0}",
    "> {0}",
    "1. {0}",
    "**{0}**",
    "| {0} | \"'>{0} |\n|---|--:|\n| {0} | x |",
    "[[force.{0}]]",
    "[[force.nccu_contact]]{0}",
    "{{{{force:{0}}}}}",
    "{{{{term:OIC}}}}{0}",
    '[x](term:OIC "\'>{0}")',
    "[x](term:{0})",
    "[x](lesson:{0})",
    "[x](guide:{0})",
    "[x](media/{0})",
    "[x](media/box.svg '{0}')",
    "::: inset\n{0}\n:::",
    "::: inset {0}\nx\n:::",
    "::: warning\n{0}\n:::",
    "::: details {0}\n{0}\n:::",
    "::: {0}\nx\n:::",
    "::: figure media/box.svg\n{0}\n:::",
    "::: figure media/box.svg\n\"'>{0}\n:::",
    "::: figure media/photo.png\n\"'>{0}\n\n{0}\n:::",
    '::: figure media/box.svg" onload="{0}\nx\n:::',
    "::: details x\n::: inset\n{0}\n:::",
    ":::\n{0}",
    "&lt;{0}&gt;",
    "\u202e{0}\u2066",
    "\\<{0}",
)
CHECK = """::: check
key = "{key}"
kind = "{kind}"
stimulus = '''{0}'''
prompt = '''{0}'''
explanation = '''{0}'''

[[choice]]
key = "a"
text = '''{0}'''
feedback = '''{0}'''
correct = true

[[choice]]
key = "b"
text = '''"'>{0}'''
feedback = "No."
{correct}
:::
"""
_PIECES = (
    *"<>\"'`=/\\&;:()[]{}#*_|!+- \t\n",
    *(
        "<!--",
        "-->",
        "</",
        "/>",
        "]]>",
        "<![CDATA[",
        "{{force:",
        "{{term:",
        "}}",
        "[[force.",
        "]]",
        ":::",
        "+++",
    ),
    *(
        " onload=",
        " onerror=",
        "javascript:",
        "data:text/html,",
        "&#x6A;",
        "&lt;",
        "&Tab;",
        "\u2028",
        "\ufeff",
    ),
    *("::: details ", "::: figure media/box.svg", "\n:::\n", "\n```\n", "\n| a |\n|---|\n", "\n    ", "\n> "),
    *(
        "script",
        "style",
        "svg",
        "math",
        "mtext",
        "mglyph",
        "img src=x",
        "iframe",
        "template",
        "noscript",
        "a href=",
    ),
    *("textarea", "title", "select", "table", "form", "details", "p", "b", "x", RUN, SCRIPT),
)
pieces = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=24).map("".join)
markup = st.one_of(
    pieces,
    st.builds(str.format, st.sampled_from(SHAPES).filter(lambda shape: "{key}" not in shape), pieces),
    st.builds(
        lambda a, b: f"<{a}>{b}</{a}>", st.sampled_from(("svg", "math", "style", "p", "select")), pieces
    ),
)


def examples(strategy: "st.SearchStrategy[T]", count: int) -> list[T]:
    """So many examples, always the same."""
    found: list[T] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(strategy)
    def collect(example: T) -> None:
        found.append(example)

    collect()
    return found


def bare() -> list[str]:
    """Markup that runs a script wherever it is not made harmless."""
    handled = [f'<{tag} {handler}="{RUN}">' for tag, handler in product(TAGS, HANDLERS)]
    return [
        SCRIPT,
        SCRIPT.upper(),
        f"<script src='data:,{RUN}'></script>",
        f"<scr<script>ipt>{RUN}</script>",
        *handled,
    ]


def texts() -> list[str]:
    """Every hostile Markdown text by hand: markup in each shape, links in each form."""
    markups = bare()
    shaped = [shape.format(SCRIPT) for shape in SHAPES]
    shaped += [shape.format(markups[4 + n % (len(markups) - 4)]) for n, shape in enumerate(SHAPES)]
    linked = [link.format(scheme) for link, scheme in product(LINKS, SCHEMES)]
    return [*markups, *shaped, *linked]


def checks() -> list[str]:
    """Exercises with hostile texts in every field of their TOML."""
    written = [
        SCRIPT,
        f"<img src=x onerror={RUN}>",
        f"[x](javascript:{RUN})",
        f"</label>{SCRIPT}",
        f'"onfocus="{RUN}',
    ]
    return [
        CHECK.replace("{key}", f"k{n}")
        .replace("{kind}", kind)
        .replace("{correct}", "correct = true" if kind == "multiple" else "")
        .replace("{0}", text)
        for n, (text, kind) in enumerate(product(written, ("single", "multiple")))
    ]


def place() -> TextLocation:
    """A lesson with a drawing, a picture and a term to refer to."""
    box = MediaFile("media/box.svg", "svg", read_drawing(SVG.encode()))
    media = {"media/box.svg": box, "media/photo.png": MediaFile("media/photo.png", "png", None)}
    context = RenderContext(
        module="hostile",
        lessons=frozenset({"first"}),
        media=media,
        addresses={path: f"/media/{'0' * 64}/{path.removeprefix('media/')}" for path in media},
        shared=parse_shared({"_glossary.toml": GLOSSARY.encode()}, Faults()),
        faults=Faults(),
    )
    return TextLocation(context, "hostile/lessons/first.md", 1)


def _drawing(inside: str, attributes: str = "", before: str = "") -> str:
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9"'
    )
    told = "<title>T</title><desc>D</desc>"
    return f"{before}{head} {attributes}>{told}{inside}<rect width='9' height='9'/></svg>"


def drawings() -> list[bytes]:
    """Drawings that would run or fetch something, each in another way."""
    xhtml = 'xmlns="http://www.w3.org/1999/xhtml"'
    inside = [
        SCRIPT,
        f"<script type='text/ecmascript'><![CDATA[{RUN}]]></script>",
        f"<script href='data:text/javascript,{RUN}'/>",
        f"<SCRIPT>{RUN}</SCRIPT>",
        f"<svg:script xmlns:svg='http://www.w3.org/2000/svg'>{RUN}</svg:script>",
        f"<script {xhtml}>{RUN}</script>",
        f"<foreignObject><body {xhtml} onload='{RUN}'><script>{RUN}</script></body></foreignObject>",
        f"<foreignObject><iframe {xhtml} srcdoc='&lt;script&gt;{RUN}&lt;/script&gt;'/></foreignObject>",
        f"<a href='javascript:{RUN}'><rect width='9' height='9'/></a>",
        f"<a xlink:href='javascript:{RUN}'><rect width='9' height='9'/></a>",
        "<image href='https://evil.example/x.png'/>",
        f"<image href='x' onerror='{RUN}'/>",
        "<use href='https://evil.example/x.svg#a'/>",
        "<use xlink:href='data:image/svg+xml;base64,PHN2Zy8+#a'/>",
        f"<use href='#a' onload='{RUN}'/>",
        f"<animate onbegin='{RUN}' attributeName='x' dur='1s'/>",
        f"<set attributeName='onload' to='{RUN}'/>",
        f"<a href='#a'><animate attributeName='href' values='javascript:{RUN}'/><text>x</text></a>",
        "<style>@import 'https://evil.example/x.css';</style>",
        "<style>rect{fill:url(https://evil.example/x)}</style>",
        "<rect style='fill:url(https://evil.example/x)'/>",
        "<rect fill='url(https://evil.example/x#a)'/>",
        "<rect fill='url(\"https://evil.example/x#a\")'/>",
        "<rect fill='u\\72l(https://evil.example/x)'/>",
        "<rect filter='url(//evil.example/x#a)'/>",
        "<rect mask='url( https://evil.example )'/>",
        "<link xmlns='http://www.w3.org/1999/xhtml' rel='stylesheet' href='https://evil.example/x.css'/>",
        f"<handler xmlns:ev='http://www.w3.org/2001/xml-events' ev:event='load'>{RUN}</handler>",
        f"<x:script xmlns:x='http://www.w3.org/2000/svg'>{RUN}</x:script>",
        f"<switch><script>{RUN}</script></switch>",
        f"<title>{SCRIPT}</title>",
        f"<desc><a {xhtml} href='javascript:{RUN}'>x</a></desc>",
        f"<text>{SCRIPT}</text>",
        "<video xmlns='http://www.w3.org/1999/xhtml' src='https://evil.example/x.mp4' autoplay=''/>",
        "<rect aria-label='x' data-x='1'/>",
        f"<rect on='{RUN}'/>",
        f"<discard begin='0s' onend='{RUN}'/>",
    ]
    roots = [f"{handler}='{RUN}'" for handler in ("onload", "onclick", "onfocusin", "onbegin", "ONLOAD")]
    roots += [
        "xml:base='https://evil.example/'",
        f"href='javascript:{RUN}'",
        "style='background:url(//evil.example)'",
    ]
    before = [
        "<?xml-stylesheet href='https://evil.example/x.css'?>",
        "<?xml version='1.0'?><?xml-stylesheet type='text/xsl' href='data:text/xsl,x'?>",
        f"<!DOCTYPE svg [<!ENTITY x '<script>{RUN}</script>'>]>",
        "<!DOCTYPE svg SYSTEM 'file:///etc/passwd'>",
        "<!DOCTYPE svg [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>",
        "<?xml version='1.0' encoding='utf-7'?>",
        "<?xml version='1.0' encoding='utf-16'?>",
    ]
    made = [_drawing(text) for text in inside]
    made += [_drawing("", attributes) for attributes in roots]
    made += [_drawing("&x;" if "ENTITY" in text else "", before=text) for text in before]
    made += [_drawing(f'<rect {handler.strip()}="{RUN}"/>') for handler in HANDLERS]
    whole = [
        f"<svg onload={RUN}>",
        f"<svg xmlns='http://www.w3.org/1999/xhtml'><script>{RUN}</script></svg>",
        f"<svg><script>{RUN}</script>",
        f"<html {xhtml}><body><svg onload='{RUN}'/></body></html>",
        f"<!-- <svg --><html {xhtml}><script>{RUN}</script></html>",
        f"<x:svg xmlns:x='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><x:script>{RUN}</x:script></x:svg>",
    ]
    encoded = [_drawing(SCRIPT).encode(code) for code in ("utf-16", "utf-16-be", "utf-7", "utf-32")]
    return [*(text.encode() for text in made + whole), *encoded, b"\xef\xbb\xbf" + _drawing(SCRIPT).encode()]


def shuffled_drawings(count: int) -> list[bytes]:
    """Drawings out of pieces, of which some happen to be harmless."""
    parts = st.lists(
        st.sampled_from(
            (
                "<g>",
                "</g>",
                "<rect",
                "/>",
                ">",
                "<text>",
                "</text>",
                "<a href='",
                "'",
                '"',
                " x='1'",
                " onload='",
                RUN,
                "<script>",
                "</script>",
                "<style>",
                "</style>",
                "&lt;",
                "&#60;",
                "<![CDATA[",
                "]]>",
                "<!--",
                "-->",
                "<use href='#a'/>",
                "<use href='",
                "javascript:",
                " fill='url(#a)'",
                " fill='url(",
                ")'",
                "<g id='a'/>",
            )
        ),
        max_size=12,
    ).map("".join)
    wholes = st.builds(
        lambda a, b: f"<g {b}>{a}</g>", parts, st.sampled_from(("", "id='a'", f"onload='{RUN}'"))
    )
    return [_drawing(text).encode() for text in examples(st.one_of(parts, wholes), count)]
