"""The portal's texts as PDF: tagged, titled, complete, and never a command of the typesetter."""

import io
import re
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from portal.domain.catalogue import services
from portal.platform.db import stamp, transaction
from portal.platform.documents.typesetting import TypesettingError, markup_of, typeset_pdf
from portal.platform.documents.typesetting import text_content as typeset_words
from tests.factories.catalogue import make_version
from tests.page_reading import words
from tests.pages.account.browsing import let_in, make_account

MODULES = Path(__file__).resolve().parents[3] / "modules"
AT = datetime(2026, 11, 25, 9, tzinfo=UTC)


def made(html: str, *, strict: bool = True) -> bytes:
    markup = markup_of(html, "https://portal.example".__add__)
    said = {"title": "A title", "above": "Above", "foot": "Foot", "author": "Westshire Police"}
    return typeset_pdf(markup, **said, at=AT, strict=strict)


@pytest.mark.slow
def test_each_job_aid_and_briefing_is_one_page_of_tagged_pdf_and_so_is_the_toolkit(client):
    make_account()
    let_in(client)
    with transaction():
        services.publish_folder(MODULES, at=stamp())
    briefings = client.page("/learning/briefings")
    for key, kind in product(("recognise", "protect", "respond", "report"), ("job-aid", "briefing")):
        page = client.page(f"/learning/modules/{key}/{kind}")
        assert kind == "job-aid" or page.path == briefings.links[page.h1]

        response = client.get(page.links["Download as PDF, to print or keep"])

        assert response.headers["Content-Type"] == "application/pdf"
        assert f"filename={key}-{kind}.pdf" in response.headers["Content-Disposition"]
        assert response.data.startswith(b"%PDF-")
        assert b"pdfuaid" in response.data
        assert re.search(rb"/StructTreeRoot", response.data)
        pages = PdfReader(io.BytesIO(response.data)).pages
        assert len(pages) == 1
        said = pages[0].extract_text()
        assert page.h1 in said
        assert all(words(heading) in said for heading in page.all("h2", class_="govuk-heading-m"))
        assert "{{force" not in said
    toolkit = client.page(briefings.links["Supervisor’s toolkit: documents, dip sample and feedback"])
    response = client.get(toolkit.links["Download as PDF, to print or keep"])
    assert b"/StructTreeRoot" in response.data
    assert "Reports to NCCU" in PdfReader(io.BytesIO(response.data)).pages[0].extract_text()


def test_a_module_without_a_job_aid_has_no_file(client):
    make_account()
    let_in(client)

    assert client.get("/learning/modules/nothing/job-aid.pdf").status_code == 404


def test_the_same_content_gives_the_same_bytes():
    assert made("<p>Ring early.</p>") == made("<p>Ring early.</p>")


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_no_text_is_a_command(text):
    assert typeset_words(text).startswith('#"')
    inside = typeset_words(text)[2:-1]

    assert re.sub(r"\\.", "", inside, flags=re.S).find('"') == -1
    assert "\n" not in inside


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from('#"\\[]{}()*_$@<>=-+/~`&;:.,\x00\x02é '), max_size=30))
def test_hostile_text_is_typeset_as_it_stands(text):
    shown = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    assert made(f"<h2>{shown}x</h2><ul><li>{shown}</li></ul><p><strong>{shown}</strong></p>")


def test_tables_keep_their_heads_and_links_lead_outside():
    head = "<thead><tr><th>A</th><th>B</th></tr></thead>"
    html = f"<table>{head}<tbody><tr><td>1</td><td></td></tr></tbody></table>"

    markup = markup_of(f'{html}<p><a href="/glossary">See</a></p>', "https://portal.example".__add__)

    assert 'table(columns: 2, table.header([#"A"], [#"B"], ), [#"1"], [], )' in markup
    assert '#link("https://portal.example/glossary")[#"See"]' in markup


def test_a_part_for_some_roles_says_so_on_paper_and_other_folds_have_no_summary():
    text = "<summary>{}</summary><div><p>Ask.</p></div></details>"
    part = (
        f'<details class="govuk-details portal-for portal-for--custody" open="">{text.format("For custody")}'
    )

    markup = markup_of(part + f"<details>{text.format('More')}")

    assert '#strong[#"For custody"]' in markup
    assert markup.count('#"Ask."') == 2
    assert "More" not in markup


BROKEN = ["<h2>Two</h2><h4>Four</h4>", "<h3>Three</h3>", "<h2></h2>"]


@pytest.mark.parametrize("html", BROKEN)
def test_what_breaks_the_rules_of_accessible_files_is_refused_or_made_without_their_claim(html):
    with pytest.raises(TypesettingError, match="No PDF can be made of this text"):
        made(html)

    assert b"pdfuaid" in made("<p>Kept</p>")
    loose = made(f"{html}<p>Kept</p>", strict=False)
    assert b"pdfuaid" not in loose
    assert "Kept" in PdfReader(io.BytesIO(loose)).pages[0].extract_text()


@pytest.mark.parametrize("html", [*BROKEN, "<table></table>", "<ul></ul>", "<p><a>x</a></p>", "</h2></li>"])
def test_the_file_of_a_job_aid_is_there_whatever_was_once_published(client, html):
    make_version("protect", job_aid=f"{html}<p>Kept</p>")
    make_account()
    let_in(client)

    response = client.get("/learning/modules/protect/job-aid.pdf")

    assert response.status_code == 200
    assert "Kept" in PdfReader(io.BytesIO(response.data)).pages[0].extract_text()
