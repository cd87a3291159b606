//! Reports over minted records: what they say, that they say it twice alike, and that foreign text
//! stays text.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "sample/judged.rs"]
mod judged;
mod sample;

use kua::reference::Reference;
use kua_auditor::report::{Counted, Report, format_named};
use kua_collector::scope::Scope;
use sample::{Plan, Sample};

fn scope() -> Scope {
    Scope { cc: Some("QZ".into()), ..Scope::default() }
}

fn report_of(sample: &Sample, reference: &Reference) -> Report {
    let counted = Counted { rejected: 1, out_of_scope: 2, ..Counted::default() };
    Report::of(&sample.tally(reference), reference, &scope(), counted)
}

fn told(plan: &Plan<'_>) -> Report {
    let sample = Sample::of(plan);
    report_of(&sample, &sample.reference())
}

fn written(report: &Report, format: &str) -> String {
    (format_named(format).unwrap().document)(report).unwrap()
}

/// What a reader sees of a page.
fn text_of(html: &str) -> String {
    let (_, body) = html.split_once("<body>").unwrap();
    let (body, _) = body.split_once("<script>").unwrap();
    let mut text = String::new();
    let mut rest = body;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, after) = tag.split_once('>').unwrap();
        let is_phrase = ["a", "/a", "b", "code", "/code", "span", "/span", "strong", "/strong"];
        let name = tag.split_whitespace().next().unwrap_or_default();
        text.push_str(if is_phrase.contains(&name) { "" } else { "\n" });
        rest = after;
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// Keys are new in every run: what hangs on them is masked.
fn masked(check: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----", "[PEM]");
    settings.add_filter(r"\b[0-9a-f]{64}\b", "[SHA-256]");
    settings.add_filter(r"\b[0-9a-f]{40}\b", "[SHA-1]");
    settings.add_filter(r"\bkey-[0-9a-f]{16}\b", "key-[KEY]");
    settings.add_filter(r"\b[0-9a-f]{12}\b", "[SHORT]");
    settings.add_filter(r"(?m)^[0-9a-f]{8}$", "[SHORT]");
    settings.add_filter(r"\b[0-9]{36,40}\b", "[SERIAL]");
    settings.bind(check);
}

#[test]
fn json() {
    let report = told(&Plan { months: 4, targets: &["news.example"], ..Plan::default() });
    masked(|| insta::assert_snapshot!("json", written(&report, "json")));
}

#[test]
fn markdown() {
    masked(|| insta::assert_snapshot!("md", written(&told(&Plan::default()), "md")));
}

#[test]
fn csv() {
    let report = told(&Plan::default());
    masked(|| insta::assert_snapshot!("csv", written(&report, "csv")));
    for table in format_named("csv").unwrap().tables {
        let name = format!("csv-{}", table.name);
        masked(|| insta::assert_snapshot!(name, (table.write)(&report)));
    }
}

#[test]
fn html() {
    let report = told(&Plan { months: 4, ..Plan::default() });
    masked(|| insta::assert_snapshot!("html", text_of(&written(&report, "html"))));
}

#[test]
fn no_campaign() {
    let report = told(&Plan { interception: false, ..Plan::default() });
    assert!(report.campaigns.is_empty());
    masked(|| insta::assert_snapshot!("none-html", text_of(&written(&report, "html"))));
    masked(|| insta::assert_snapshot!("none-md", written(&report, "md")));
}

#[test]
fn nothing_measured() {
    let nothing = Sample { records: Vec::new(), ..Sample::of(&Plan::default()) };
    let report = report_of(&nothing, &nothing.reference());
    masked(|| insta::assert_snapshot!("nothing-md", written(&report, "md")));
    for format in ["html", "json", "csv"] {
        assert!(!written(&report, format).is_empty());
    }
}

#[test]
fn same_records_same_report_in_any_order() {
    let mut sample = Sample::of(&Plan::default());
    let reference = sample.reference();
    let first = report_of(&sample, &reference);
    let again = report_of(&sample, &reference);
    sample.records.reverse();
    let reversed = report_of(&sample, &reference);
    for format in ["html", "json", "csv", "md"] {
        let text = written(&first, format);
        assert!(text == written(&again, format), "{format}: two runs differ");
        assert!(text == written(&reversed, format), "{format}: the order of records shows");
    }
}

#[test]
fn one_network_and_forty() {
    for (networks, series, other) in [(1, 2, false), (40, 8, true)] {
        // The state's networks and that of the interceptor nobody knows.
        let report = told(&Plan { networks, months: 36, ..Plan::default() });
        assert_eq!(report.over_time.networks.len(), series, "{networks}");
        let html = written(&report, "html");
        assert_eq!(html.contains("all other networks"), other);
        let last = format!("<rect class=\"f-n{}\"", series - 1);
        assert!(html.contains(&last), "{networks}: no {last}");
        let rows = report.campaigns[0].campaign.networks.len();
        assert_eq!(
            html.contains(&format!("<summary>{} more</summary>", rows.saturating_sub(15))),
            other
        );
    }
}

/// A page stays readable where every other machine has a proxy of its own.
#[test]
fn many_unnamed_campaigns_are_rows_of_a_table() {
    let mut report = told(&Plan { months: 2, ..Plan::default() });
    let unnamed = report.campaigns[1].clone();
    for number in 2..40_u64 {
        let mut more = unnamed.clone();
        more.campaign.id = format!("key-{number:016}");
        more.intercepted = number;
        report.campaigns.push(more);
    }
    assert!(report.ranked()[0].about.is_some());
    let html = written(&report, "html");
    assert_eq!(html.matches("class=\"campaign\"").count(), 30);
    let (_, brief) = html.split_once("<h2>Further campaigns</h2>").unwrap();
    assert!(brief.contains("key-0000000000000002") && !brief.contains("key-0000000000000039"));
    assert!(written(&report, "md").contains("- 30 more, less sure or smaller than these."));
}

#[test]
fn foreign_text_stays_text() {
    const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let report = told(&Plan {
        networks: 2,
        months: 4,
        // What is no host name accuses nobody; the plain one has the stranger shown.
        targets: &[EVIL, "=cmd|' /C calc'!A0", "@everyone | `x` \u{202e}moc", "plain.example"],
        stranger: "<script>alert(3)</script>",
        network: "=1+1,\"<script>alert(4)</script>",
        ..Plan::default()
    });
    let html = written(&report, "html");
    assert_eq!(html.matches("<script").count(), 1, "only the page's own script");
    assert!(html.contains("alert(3)") && html.contains("alert(4)"), "it is shown");
    assert!(!html.contains("<img") && !html.contains('\u{202e}'));
    assert!(html.contains("U+202E"));

    let csv = written(&report, "csv");
    let cells = csv.split(['\n', ',']).map(|cell| cell.trim_start_matches('"'));
    let formula = cells.clone().find(|cell| cell.starts_with(['=', '+', '-', '@']));
    assert_eq!(formula, None);

    let markdown = written(&report, "md");
    for line in markdown.lines().filter(|line| line.contains("alert(4)")) {
        assert!(!line.contains("<script>"), "{line}");
    }
}

/// Nothing is fetched, and only this page's own style and script are allowed to run.
#[test]
fn the_page_stands_alone() {
    use data_encoding::BASE64;
    use kua::chain::Fingerprint;

    let html = written(&told(&Plan { months: 4, ..Plan::default() }), "html");
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let (_, rest) = html.split_once(open).unwrap();
        let (text, _) = rest.split_once(close).unwrap();
        let hash = BASE64.encode(Fingerprint::of(text.as_bytes()).as_bytes());
        assert!(html.contains(&format!("'sha256-{hash}'")), "{open}");
    }
    for fetched in [" src=", "@import", "<link", "url(http", "url(\"", " style="] {
        assert!(!html.contains(fetched), "{fetched}");
    }
    assert!(html.contains("viewBox=\"0 0 1520"));
    assert!(!html.contains("<svg width=\"1520\""));
}

/// The contract of interfaces.md.
#[test]
fn fields_of_the_contract() {
    let report = told(&Plan { months: 4, ..Plan::default() });
    let report: serde_json::Value = serde_json::from_str(&written(&report, "json")).unwrap();
    assert_eq!(report["schema"], "kua.report/1");
    let campaign = &report["campaigns"][0];
    for (value, fields) in [
        (&report, "schema scope reference totals campaigns not_campaigns"),
        (&report["scope"], "cc since until"),
        (&report["totals"], "measurements handshakes with_chain verdicts rejected"),
        (
            campaign,
            "id actor level interceptor first_seen last_seen anchors intermediates invalid_windows \
             targets networks examples",
        ),
        (&campaign["anchors"][0], "spki_sha256 sha1 subject known dossier"),
        (
            &campaign["intermediates"][0],
            "sha256 sha1 serial not_before not_after anchor_spki_sha256 first_seen last_seen \
             handshakes used_outside_validity",
        ),
        (&campaign["invalid_windows"][0], "from to handshakes"),
        (&campaign["targets"][0], "name handshakes intercepted"),
        (&campaign["networks"][0], "asn name operator state_owned handshakes intercepted"),
        (
            &campaign["examples"][0],
            "target started endpoint vantage measurement_uid line findings chain certificates",
        ),
    ] {
        for field in fields.split_whitespace() {
            assert!(value.get(field).is_some(), "{field} is missing");
        }
    }
}
