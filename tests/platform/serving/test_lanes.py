"""Which threads work on which pages."""

import pytest

from portal.platform.serving.lanes import Lane, lane_of

FILES = (".csv", ".json", ".xlsx", ".pdf", ".zip")
# A page or two, one's own lines, and a description.
QUICK = {
    "api.describe",
    "assurance.download_board",
    "assurance.download_document",
    "dip_samples.download_template",
    "events.print_syndicates",
    "guides.download_guide",
    "learning.download_briefing",
    "learning.download_job_aid",
    "records.download_certificate",
    "records.download_hours_csv",
    "records.download_hours_pdf",
    "retention.download_certificate",
    "returns.comparison_json",
    "returns.download_received",
    "returns.download_return",
    "returns.national_csv",
    "returns.national_json",
    "returns.national_xlsx",
    "returns.show_comparison_schema",
    "returns.show_schema",
}


def test_every_file_that_is_written_while_one_waits_has_the_thread_of_files(app):
    written = {
        rule.rule: rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and rule.rule.endswith(FILES)
    }

    assert len(written) > 5
    for path, endpoint in written.items():
        assert (lane_of("GET", path) is Lane.FILES) == (endpoint not in QUICK), path
    assert lane_of("GET", "/api/v1/directives/OIC-2026/files/people.csv") is Lane.FILES


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/directives/preview"),
        ("POST", "/directives/OIC-2026/withdraw/preview"),
        ("GET", "/directives/OIC-2026/versions/2/withdraw"),
        ("GET", "/monitoring/directives/OIC-2026/changes"),
        ("GET", "/assurance"),
        ("GET", "/authoring/protect/statistics"),
    ],
)
def test_pages_that_compute_for_everyone_are_made_apart(app, method, path):
    app.url_map.bind("localhost").match(path, method)  # there is such a page
    assert lane_of(method, path) is Lane.LONG_PAGES


@pytest.mark.parametrize(
    "path",
    [
        "/directives/preview/issue",
        "/directives/OIC-2026/withdraw",
        "/directives/OIC-2026/versions/2/withdraw",
        "/directives/OIC-2026/change",
    ],
)
def test_what_records_a_change_is_not_made_by_the_process_that_gives_way(app, path):
    app.url_map.bind("localhost").match(path, "POST")
    assert lane_of("POST", path) is Lane.CHANGES


def test_probes_and_changes_have_threads_of_their_own():
    assert lane_of("GET", "/healthz") is Lane.HEALTH
    assert lane_of("GET", "/readyz") is Lane.READINESS
    assert lane_of("POST", "/healthz") is Lane.CHANGES
    assert lane_of("POST", "/sign-in") is lane_of("POST", "/sign-in/again") is Lane.SIGN_IN
    assert lane_of("POST", "/sign-out") is lane_of("POST", "/sign-ins") is Lane.CHANGES
    assert lane_of("HEAD", "/sign-in") is Lane.READS
    assert lane_of("GET", "/sign-in/help") is Lane.READS
    assert lane_of("GET", "/static/portal.0123456789abcdef.css") is Lane.READS


def test_signing_in_at_a_provider_has_threads_of_its_own(app):
    lanes = {
        (rule.rule, method): lane_of(method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods
        if rule.rule.startswith(("/sign-in/oidc", "/sign-in/saml", "/saml"))
    }

    assert {lane for (path, _), lane in lanes.items() if "oidc" in path} == {Lane.PROVIDER}
    assert {lane for (path, _), lane in lanes.items() if "saml" in path} == {Lane.DOCUMENTS}
    assert len({path for path, _ in lanes}) == 8
    assert lane_of("GET", "/sign-in/oidcs") is lane_of("GET", "/samlet") is Lane.READS
