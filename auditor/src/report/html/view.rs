//! What the page's template shows, already in words.

use askama::Template;
use kua::campaign::{Campaign, IntermediateRow, Rate};
use kua::detect::{DETECTORS, Detector};

use super::evidence::ExampleView;
use super::table::{Row, Table, Whisker};
use super::{SCRIPT, STYLE, content_policy, filters};
use crate::report::browsers::{self, ClientRow, RuleRow};
use crate::report::chart;
use crate::report::model::{About, CampaignReport, Report};
use crate::report::summary::Summary;
use crate::report::words::{
    actor, certainty, class, counted, grounds, network, number, owner, scope, share, share_of,
    short, span, title, visible,
};
use crate::report::{FormatError, OverTime};

/// Campaigns with a section of their own; the others are rows of a table.
const CAMPAIGNS: usize = 30;

/// Examples of a campaign that the page holds; the JSON report has all.
const EXAMPLES: usize = 20;

#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct Page<'a> {
    policy: String,
    style: &'static str,
    script: &'static str,
    scope: String,
    summary: Summary,
    figures: Vec<Figure>,
    verdicts: Vec<(&'static str, String, Option<Whisker>)>,
    judgements: String,
    over_time: Option<OverTimeView<'a>>,
    campaigns: Vec<CampaignView<'a>>,
    brief: Vec<Brief<'a>>,
    others: Vec<Other<'a>>,
    detectors: &'static [&'static Detector],
    report: &'a Report,
}

/// A campaign in one row.
struct Brief<'a> {
    found: &'a CampaignReport,
    campaign: &'a Campaign,
}

/// A number that stands out.
struct Figure {
    name: &'static str,
    value: String,
    note: String,
}

struct OverTimeView<'a> {
    svg: String,
    networks: Vec<String>,
    more: bool,
    counts: &'a OverTime,
}

struct CampaignView<'a> {
    number: usize,
    anchor: String,
    title: String,
    certainty: String,
    grounds: &'static str,
    actor: &'static str,
    level: String,
    seen: String,
    share: String,
    about: Option<&'a About>,
    summary: String,
    links: Vec<Link<'a>>,
    campaign: &'a Campaign,
    keys: Vec<Key>,
    chart: Option<String>,
    undrawn: usize,
    intermediates: Vec<Intermediate>,
    browsers: Option<Vec<ClientRow>>,
    rules: Vec<RuleRow>,
    targets: Table,
    networks: Table,
    examples: Vec<ExampleView<'a>>,
    more_examples: usize,
}

/// A source; only web addresses become links.
struct Link<'a> {
    address: &'a str,
    is_web: bool,
}

struct Key {
    subject: String,
    spki: String,
    sha1: String,
    whose: String,
}

struct Intermediate {
    short: String,
    sha256: String,
    sha1: String,
    serial: String,
    valid: String,
    used: String,
    handshakes: String,
    outside: Option<String>,
    signer: String,
}

struct Other<'a> {
    title: String,
    meaning: &'static str,
    share: String,
    example: Option<ExampleView<'a>>,
}

impl<'a> Page<'a> {
    pub(super) fn of(report: &'a Report) -> Result<Self, FormatError> {
        let totals = &report.totals;
        let verdicts = kua::verdict::Verdict::ALL.into_iter().map(|verdict| {
            let count = totals.verdicts.get(verdict.as_str()).copied().unwrap_or(0);
            let rate = Rate::of(count, totals.judgements);
            let whisker = rate.map(|rate| Whisker::of(rate, 100));
            (verdict.as_str(), share(count, totals.judgements), whisker)
        });
        let over_time = &report.over_time;
        let over_time = match over_time.has_interceptions() {
            true => Some(OverTimeView {
                svg: chart::over_time::svg(over_time)?,
                networks: over_time
                    .networks
                    .iter()
                    .map(|shown| network(shown.asn, &shown.name))
                    .collect(),
                more: over_time.periods.iter().any(|period| period.elsewhere > 0),
                counts: over_time,
            }),
            false => None,
        };
        let mut ranked = report.ranked();
        let brief = ranked.split_off(ranked.len().min(CAMPAIGNS));
        let campaigns = ranked
            .into_iter()
            .enumerate()
            .map(|(position, found)| CampaignView::of(position + 1, found, totals.handshakes))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            policy: content_policy(),
            style: STYLE,
            script: SCRIPT,
            scope: scope(report),
            summary: Summary::of(report),
            figures: figures(report),
            verdicts: verdicts.collect(),
            judgements: number(totals.judgements),
            over_time,
            campaigns,
            brief: brief
                .into_iter()
                .map(|found| Brief { found, campaign: &found.campaign })
                .collect(),
            others: others(report),
            detectors: DETECTORS,
            report,
        })
    }
}

fn figures(report: &Report) -> Vec<Figure> {
    let totals = &report.totals;
    let networks = report.campaigns.iter().flat_map(|found| &found.campaign.networks);
    let networks: std::collections::BTreeSet<_> = networks.map(|network| network.asn).collect();
    let targets = report.campaigns.iter().flat_map(|found| &found.campaign.targets);
    let targets: std::collections::BTreeSet<_> = targets.map(|target| &target.name).collect();
    let of = |part: u64| share(part, totals.handshakes);
    vec![
        Figure {
            name: "handshakes",
            value: number(totals.handshakes),
            note: format!("in {}", counted(totals.measurements, "measurement")),
        },
        Figure {
            name: "intercepted in campaigns",
            value: number(totals.in_campaigns),
            note: of(totals.in_campaigns),
        },
        Figure {
            name: if targets.len() == 1 { "name intercepted" } else { "names intercepted" },
            value: number(targets.len() as u64),
            note: format!("in {}", counted(networks.len() as u64, "network")),
        },
        Figure {
            name: "otherwise wrong or unknown",
            value: number(report.not_campaigns.values().sum()),
            note: "accuse nobody".into(),
        },
    ]
}

impl<'a> CampaignView<'a> {
    fn of(number: usize, found: &'a CampaignReport, all: u64) -> Result<Self, FormatError> {
        let campaign = &found.campaign;
        let about = found.about.as_ref();
        let sources = about.map(|about| about.sources.as_slice()).unwrap_or_default();
        let links = sources.iter().map(|address| Link {
            address,
            is_web: address.starts_with("https://") || address.starts_with("http://"),
        });
        let chart = chart::validity::svg(campaign, &format!("validity-{number}"))?;
        Ok(Self {
            number,
            anchor: format!("campaign-{number}"),
            title: title(found),
            certainty: certainty(found),
            grounds: grounds(found),
            actor: actor(campaign.actor),
            level: campaign.level.to_string(),
            seen: span(campaign.first_seen.as_deref(), campaign.last_seen.as_deref()),
            share: share_of(found.intercepted, all, "handshakes"),
            about,
            summary: about
                .map(|about| visible(&about.summary.replace('\n', " ")))
                .unwrap_or_default(),
            links: links.collect(),
            campaign,
            keys: keys(campaign),
            chart,
            undrawn: campaign.intermediates.len().saturating_sub(chart::validity::MOST),
            intermediates: campaign.intermediates.iter().map(Intermediate::of).collect(),
            browsers: browsers::table(campaign),
            rules: browsers::rules(campaign),
            targets: Table::of(campaign.targets.iter().map(|target| Row {
                name: if target.name.is_empty() {
                    "unknown name".into()
                } else {
                    visible(&target.name)
                },
                owner: String::new(),
                share: share(target.intercepted, target.handshakes),
                rate: target.rate,
            })),
            networks: Table::of(campaign.networks.iter().map(|row| Row {
                name: network(row.asn, &row.name),
                owner: owner(row),
                share: share(row.intercepted, row.handshakes),
                rate: row.rate,
            })),
            examples: found.examples.iter().take(EXAMPLES).map(ExampleView::of).collect(),
            more_examples: found.examples.len().saturating_sub(EXAMPLES),
        })
    }
}

fn keys(campaign: &Campaign) -> Vec<Key> {
    let key = |anchor: &kua::campaign::AnchorRow| Key {
        subject: match anchor.subject.as_str() {
            "" => "not recorded".into(),
            subject => visible(subject),
        },
        spki: match (anchor.spki_sha256, &anchor.authority_key_id) {
            (Some(key), _) => key.to_string(),
            (None, Some(id)) => format!("unknown; authority key identifier {id}"),
            (None, None) => "unknown".into(),
        },
        sha1: anchor.sha1.clone().unwrap_or_default(),
        whose: match &anchor.dossier {
            Some(dossier) => format!("published in dossier {}", visible(dossier)),
            None => "in no list".into(),
        },
    };
    campaign.anchors.iter().map(key).collect()
}

impl Intermediate {
    fn of(row: &IntermediateRow) -> Self {
        let sha256 = row.sha256.to_string();
        Self {
            short: sha256.chars().take(8).collect(),
            sha256,
            sha1: row.sha1.clone(),
            serial: row.serial.clone(),
            valid: span(Some(&row.not_before), Some(&row.not_after)),
            used: span(row.first_seen.as_deref(), row.last_seen.as_deref()),
            handshakes: number(row.handshakes),
            outside: (row.used_outside_validity > 0)
                .then(|| share(row.used_outside_validity, row.handshakes)),
            signer: match (row.anchor_spki_sha256, &row.authority_key_id) {
                (Some(key), _) => short(&key.to_string()),
                (None, Some(id)) => format!("unknown key, identifier {}", short(id)),
                (None, None) => "unknown key".into(),
            },
        }
    }
}

fn others(report: &Report) -> Vec<Other<'_>> {
    let classes = report.not_campaigns.iter().filter(|(_, count)| **count > 0);
    let mut classes: Vec<_> = classes.collect();
    classes.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), **name));
    let other = |(name, count): (&&'static str, &u64)| {
        let examples = report.not_campaign_examples.iter().find(|found| found.class == *name);
        let (title, meaning) = class(name);
        Other {
            title: title.to_owned(),
            meaning,
            share: share_of(*count, report.totals.handshakes, "handshakes"),
            example: examples.and_then(|found| found.examples.first()).map(ExampleView::of),
        }
    };
    classes.into_iter().map(other).collect()
}

impl Brief<'_> {
    fn seen(&self) -> String {
        span(self.campaign.first_seen.as_deref(), self.campaign.last_seen.as_deref())
    }

    fn share(&self, all: &u64) -> String {
        share(self.found.intercepted, *all)
    }
}
