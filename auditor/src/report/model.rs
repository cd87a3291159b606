//! What a report says, whatever its format: `kua.report/1`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use kua::campaign::{Campaign, Rate};
use kua::detect::{Finding, Level};
use kua::reference::Source;
use kua::verdict::Verdict;
use serde::Serialize;

use super::over_time::OverTime;

/// A whole report. It holds no moment of its own making: same input, same report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `kua.report/1`.
    pub schema: &'static str,
    /// What was looked at.
    pub scope: Scope,
    /// What it was compared with.
    pub reference: ReferenceData,
    /// Counts of everything in scope.
    pub totals: Totals,
    /// Handshakes by time and network.
    pub over_time: OverTime,
    /// Who intercepts.
    pub campaigns: Vec<CampaignReport>,
    /// What is wrong and no campaign, by class. Handshakes.
    pub not_campaigns: BTreeMap<&'static str, u64>,
    /// A few earliest handshakes of each of these classes.
    pub not_campaign_examples: Vec<ClassExamples>,
    /// How the judgements were made.
    pub method: &'static str,
    /// What the report cannot say.
    pub limits: &'static [&'static str],
}

/// Which measurements were asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Scope {
    /// Country of the vantage points, ISO 3166-1 alpha-2.
    pub cc: Option<String>,
    /// First day or moment, as it was given.
    pub since: Option<String>,
    /// Last day or moment, as it was given; a day is meant whole.
    pub until: Option<String>,
}

/// What chains were compared with: two reports with one digest were judged alike.
#[derive(Clone, Debug, Serialize)]
pub struct ReferenceData {
    /// Version of the judging library.
    pub kua_version: &'static str,
    /// One hash over all files.
    pub digest: String,
    /// Root programs.
    pub programs: Vec<Program>,
    /// Dossiers of interceptors, by id.
    pub dossiers: Vec<String>,
    /// Every file.
    pub files: Vec<Source>,
    /// Control measurements that the records were compared with.
    pub controls: u64,
}

/// A root program.
#[derive(Clone, Debug, Serialize)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// The day of its newest known state.
    pub date: Option<String>,
    /// The day since when its states are known; null where only the newest is.
    pub known_since: Option<String>,
    /// How many trust anchors its newest state has.
    pub anchors: usize,
}

/// Counts of everything in scope.
#[derive(Clone, Debug, Serialize)]
pub struct Totals {
    /// Records.
    pub measurements: u64,
    /// TLS and QUIC handshakes in them.
    pub handshakes: u64,
    /// Handshakes in which a certificate was recorded.
    pub with_chain: u64,
    /// Judgements: one a handshake, and one for each record that reached none.
    pub judgements: u64,
    /// Judgements by verdict.
    pub verdicts: BTreeMap<&'static str, u64>,
    /// Handshakes that belong to a campaign.
    pub in_campaigns: u64,
    /// Day of the first handshake in scope.
    pub first_day: Option<String>,
    /// Day of the last.
    pub last_day: Option<String>,
    /// Records that were read and lie outside the scope.
    pub out_of_scope: u64,
    /// Lines that are no measurement.
    pub rejected: u64,
    /// Files that could not be read to their end.
    pub broken_off: u64,
}

/// One interceptor at work.
#[derive(Clone, Debug, Serialize)]
pub struct CampaignReport {
    /// Counts and keys.
    #[serde(flatten)]
    pub campaign: Campaign,
    /// Handshakes that belong to it.
    pub intercepted: u64,
    /// What published sources know of it, where a dossier's key signed.
    pub about: Option<About>,
    /// The earliest handshake for each target.
    pub examples: Vec<ExampleReport>,
}

/// What a dossier says of an interceptor.
#[derive(Clone, Debug, Serialize)]
pub struct About {
    /// What a person calls it.
    pub title: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Who runs it, in the words of its sources.
    pub operator: Option<String>,
    /// A few plain sentences.
    pub summary: String,
    /// Addresses of the sources.
    pub sources: Vec<String>,
}

/// A class of what is wrong and no campaign, with examples.
#[derive(Clone, Debug, Serialize)]
pub struct ClassExamples {
    /// A key of `not_campaigns`.
    pub class: &'static str,
    /// The earliest first.
    pub examples: Vec<ExampleReport>,
}

/// One handshake with all that a reader needs to check it.
#[derive(Clone, Debug, Serialize)]
pub struct ExampleReport {
    /// The host that was meant.
    pub target: String,
    /// When, RFC 3339.
    pub started: Option<String>,
    /// Where the probe connected to.
    pub endpoint: Option<String>,
    /// Where the probe was.
    pub vantage: VantageReport,
    /// The measurement's name.
    pub measurement_uid: Option<String>,
    /// SHA-256 of the record as it was received; null where only its contents are at hand.
    pub record: Option<String>,
    /// Line of the record in its file, from 1; null in an archive, where its hash names it.
    pub line: Option<u64>,
    /// What it shows.
    pub verdict: Verdict,
    /// How sure.
    pub level: Option<Level>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// SHA-256 of the presented certificates, in the order of presentation.
    pub chain: Vec<String>,
    /// The same certificates, to read and to check.
    pub certificates: Vec<CertificateReport>,
}

/// Where a probe was; nothing finer is known.
#[derive(Clone, Debug, Serialize)]
pub struct VantageReport {
    /// ISO 3166-1 alpha-2.
    pub cc: String,
    /// AS number; 0 when unknown.
    pub asn: u32,
}

/// A presented certificate.
#[derive(Clone, Debug, Serialize)]
pub struct CertificateReport {
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// `None` where no parser accepts the bytes; so the next three.
    pub subject: Option<String>,
    /// Its issuer.
    pub issuer: Option<String>,
    /// Begin of its validity.
    pub not_before: Option<String>,
    /// End of its validity.
    pub not_after: Option<String>,
    /// The bytes, RFC 7468.
    pub pem: String,
}

impl Report {
    /// Campaigns as people read them: those with a name first, then the surest, then the largest.
    pub fn ranked(&self) -> Vec<&CampaignReport> {
        let mut ranked: Vec<_> = self.campaigns.iter().collect();
        ranked.sort_by_key(|found| {
            let unnamed = found.about.is_none();
            (unnamed, Reverse(found.campaign.level), Reverse(found.intercepted))
        });
        ranked
    }

    /// Share of the handshakes that belong to a campaign.
    pub fn intercepted(&self) -> Option<Rate> {
        Rate::of(self.totals.in_campaigns, self.totals.handshakes)
    }
}
