//! One handshake with its findings and its chain, as a reader checks it.

use kua::detect::{Finding, State};

use crate::report::model::ExampleReport;
use crate::report::words::{counted, evidence, network, span, visible};

pub(super) struct ExampleView<'a> {
    pub(super) target: String,
    pub(super) place: String,
    pub(super) sent: String,
    pub(super) findings: Vec<FindingView<'a>>,
    pub(super) certificates: Vec<Certificate<'a>>,
    pub(super) example: &'a ExampleReport,
}

pub(super) struct FindingView<'a> {
    pub(super) evidence: Vec<(String, String)>,
    pub(super) causes: Vec<Cause>,
    pub(super) finding: &'a Finding,
}

pub(super) struct Cause {
    pub(super) words: &'static str,
    pub(super) is_open: bool,
    pub(super) how: String,
}

pub(super) struct Certificate<'a> {
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) valid: String,
    pub(super) sha256: &'a str,
}

impl<'a> ExampleView<'a> {
    pub(super) fn of(example: &'a ExampleReport) -> Self {
        let vantage = &example.vantage;
        let started = example.started.as_deref().unwrap_or("no date");
        let certificates = example.certificates.iter().map(|sent| {
            let unread = || "no parser reads it".to_owned();
            Certificate {
                subject: sent.subject.as_deref().map_or_else(unread, visible),
                issuer: sent.issuer.as_deref().map_or_else(unread, visible),
                valid: span(sent.not_before.as_deref(), sent.not_after.as_deref()),
                sha256: &sent.sha256,
            }
        });
        Self {
            target: match example.target.as_str() {
                "" => "unknown name".into(),
                target => visible(target),
            },
            place: format!("{started}, {} {}", visible(&vantage.cc), network(vantage.asn, "")),
            sent: counted(example.certificates.len() as u64, "certificate"),
            findings: example.findings.iter().map(FindingView::of).collect(),
            certificates: certificates.collect(),
            example,
        }
    }
}

impl<'a> FindingView<'a> {
    fn of(finding: &'a Finding) -> Self {
        let pairs = finding.evidence.iter().filter(|(_, value)| !value.is_null());
        let causes = finding.innocent.iter().map(|cause| match &cause.state {
            State::Open(how) => {
                Cause { words: cause.cause, is_open: true, how: how.clone().unwrap_or_default() }
            }
            State::RuledOut(how) => Cause { words: cause.cause, is_open: false, how: how.clone() },
        });
        Self {
            evidence: pairs
                .map(|(key, value)| (visible(&key.replace('_', " ")), evidence(value)))
                .collect(),
            causes: causes.map(|cause| Cause { how: visible(&cause.how), ..cause }).collect(),
            finding,
        }
    }
}
