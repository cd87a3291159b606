//! A tally to a report.

use std::collections::BTreeMap;

use kua::campaign::{Campaign, Example, Tally};
use kua::chain::{Certificate, Chain};
use kua::moment::rfc3339;
use kua::reference::Reference;
use time::{OffsetDateTime, Time};

use super::method::{LIMITS, METHOD};
use super::model::{
    About, CampaignReport, CertificateReport, ClassExamples, ExampleReport, Program, ReferenceData,
    Report, Scope, Totals, VantageReport,
};
use super::over_time::OverTime;

/// What was counted outside the tally.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Control measurements that the records were compared with.
    pub controls: u64,
    /// Records that were read and lie outside the scope.
    pub out_of_scope: u64,
    /// Lines that are no measurement.
    pub rejected: u64,
    /// Files that could not be read to their end.
    pub broken_off: u64,
}

/// Most examples of a class of what is no campaign.
const CLASS_EXAMPLES: usize = 3;

impl Report {
    /// Tells what `tally` counted.
    pub fn of(
        tally: &Tally,
        reference: &Reference,
        scope: &kua_collector::scope::Scope,
        counted: Counted,
    ) -> Self {
        let campaigns: Vec<_> = tally
            .campaigns(reference)
            .into_iter()
            .map(|campaign| campaign_report(campaign, tally, reference))
            .collect();
        let days: Vec<_> = tally.per_day().collect();
        let names: BTreeMap<u32, &str> = campaigns
            .iter()
            .flat_map(|found| &found.campaign.networks)
            .map(|network| (network.asn, network.name.as_str()))
            .collect();
        let name_of = |asn: u32| names.get(&asn).copied().unwrap_or_default().to_owned();
        let in_campaigns = campaigns.iter().map(|found| found.intercepted).sum();
        Self {
            schema: "kua.report/1",
            scope: Scope {
                cc: scope.cc.clone(),
                since: scope.since.map(|since| edge(since, Time::MIDNIGHT)),
                until: scope.until.map(|until| edge(until, Time::MAX)),
            },
            reference: reference_data(reference, counted.controls),
            totals: Totals {
                measurements: tally.measurements(),
                handshakes: tally.handshakes(),
                with_chain: tally.with_chain(),
                judgements: tally.verdicts().map(|(_, count)| count).sum(),
                verdicts: tally
                    .verdicts()
                    .map(|(verdict, count)| (verdict.as_str(), count))
                    .collect(),
                in_campaigns,
                first_day: days.iter().map(|(day, ..)| *day).min().map(|day| day.to_string()),
                last_day: days.iter().map(|(day, ..)| *day).max().map(|day| day.to_string()),
                out_of_scope: counted.out_of_scope,
                rejected: counted.rejected,
                broken_off: counted.broken_off,
            },
            over_time: OverTime::of(&days, name_of),
            campaigns,
            not_campaigns: tally.not_campaigns(),
            not_campaign_examples: class_examples(tally),
            method: METHOD,
            limits: LIMITS,
        }
    }
}

/// A day where a whole one is meant, else the moment.
fn edge(moment: OffsetDateTime, of_day: Time) -> String {
    if moment.time() == of_day { moment.date().to_string() } else { rfc3339(moment) }
}

fn reference_data(reference: &Reference, controls: u64) -> ReferenceData {
    let programs = reference.stores.iter().map(|store| Program {
        name: store.program.clone(),
        date: store.date.map(|date| date.to_string()),
        known_since: store.known_since.map(|date| date.to_string()),
        anchors: store.anchors.iter().filter(|anchor| anchor.until.is_none()).count(),
    });
    ReferenceData {
        kua_version: env!("CARGO_PKG_VERSION"),
        digest: reference.digest(),
        programs: programs.collect(),
        dossiers: reference.dossiers.iter().map(|dossier| dossier.id.clone()).collect(),
        files: reference.sources.clone(),
        controls,
    }
}

fn campaign_report(campaign: Campaign, tally: &Tally, reference: &Reference) -> CampaignReport {
    let id = campaign.interceptor.as_ref();
    let dossier = reference.dossiers.iter().find(|dossier| Some(&dossier.id) == id);
    let about = dossier.map(|dossier| About {
        title: dossier.title.clone(),
        country: dossier.country.clone(),
        operator: dossier.operator.clone(),
        summary: dossier.summary.clone(),
        sources: dossier.sources.clone(),
    });
    let mut examples: Vec<_> = tally.examples_of(&campaign).collect();
    examples
        .sort_by(|left, right| (left.started, &left.target).cmp(&(right.started, &right.target)));
    let examples = examples.into_iter().map(example_report).collect();
    let intercepted = campaign.networks.iter().map(|network| network.intercepted).sum();
    CampaignReport { campaign, intercepted, about, examples }
}

fn class_examples(tally: &Tally) -> Vec<ClassExamples> {
    let mut classes: BTreeMap<&'static str, Vec<&Example>> = BTreeMap::new();
    for (class, example) in tally.other_examples() {
        classes.entry(class).or_default().push(example);
    }
    let classes = classes.into_iter().map(|(class, mut examples)| {
        examples.sort_by_key(|example| (example.started, &example.target));
        let examples = examples.into_iter().take(CLASS_EXAMPLES).map(example_report).collect();
        ClassExamples { class, examples }
    });
    classes.collect()
}

fn example_report(example: &Example) -> ExampleReport {
    let certificates = example.chain.as_ref().map_or(&[][..], Chain::certificates);
    let (cc, asn) = example.vantage.clone();
    ExampleReport {
        target: example.target.clone(),
        started: example.started.map(rfc3339),
        endpoint: example.endpoint.map(|endpoint| endpoint.to_string()),
        vantage: VantageReport { cc, asn },
        measurement_uid: example.measurement_uid.clone(),
        record: example.record.map(|hash| hash.to_string()),
        line: example.line,
        verdict: example.verdict,
        level: example.level,
        findings: example.findings.clone(),
        chain: certificates.iter().map(|sent| sent.fingerprint().to_string()).collect(),
        certificates: certificates.iter().map(certificate_report).collect(),
    }
}

fn certificate_report(certificate: &Certificate) -> CertificateReport {
    let fields = certificate.fields();
    CertificateReport {
        sha256: certificate.fingerprint().to_string(),
        subject: fields.map(|fields| fields.subject.to_string()),
        issuer: fields.map(|fields| fields.issuer.to_string()),
        not_before: fields.map(|fields| rfc3339(fields.not_before)),
        not_after: fields.map(|fields| rfc3339(fields.not_after)),
        pem: certificate.pem(),
    }
}
