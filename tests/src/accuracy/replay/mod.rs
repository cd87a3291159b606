//! Incidents rebuilt: who was detected, named and graded, and that no innocent was accused.

mod authorities;
mod innocent;
mod kazakhstan;
mod local;
mod path;

use std::collections::BTreeSet;

use kua::campaign::Rate;
use kua::verdict::{Judgement, Verdict};
use kua_mint::Oddity;

use super::built::Built;
use super::expected::{Expected, told};
use super::report::Section;
use super::scenario::{Scenario, Story};
use super::world::World;
use crate::repository;

/// Every scenario, by file.
const SCENARIOS: &[&[Scenario]] = &[
    kazakhstan::SCENARIOS,
    authorities::SCENARIOS,
    path::SCENARIOS,
    local::SCENARIOS,
    innocent::SCENARIOS,
];

/// Incidents of the catalogue that are not rebuilt, and why.
const NOT_REBUILT: &[(&str, &[&str])] = &[
    (
        "announced or planned, never seen",
        &["kz-2015-national-certificate", "mu-2021-icta", "eu-2023-eidas-45"],
    ),
    (
        "an authority that was distrusted without a known forgery",
        &["ae-2019-darkmatter", "pa-2022-trustcor", "cn-2016-wosign-startcom", "us-2017-symantec"],
    ),
    (
        "a leaf signed for the wrong owner, and no use of it known",
        &[
            "hr-2025-fina",
            "tg-2017-2019-google-tg",
            "bd-2018-google-com-bd",
            "fi-2015-live-fi",
            "nl-2015-xs4all",
            "us-2015-sslip-io",
        ],
    ),
    (
        "no source describes what was presented",
        &[
            "vendor-2012-cyberoam",
            "hacking-team-rcs",
            "nokia-2013",
            "us-2014-market-research-android",
        ],
    ),
];

/// A story with what was judged.
pub(super) struct Told {
    pub(super) id: String,
    pub(super) story: &'static Story,
    pub(super) built: Built,
    pub(super) judgement: Judgement,
    pub(super) is_attack: bool,
    known_gap: Option<&'static str>,
}

/// All stories told.
pub(super) struct Replayed(pub(super) Vec<Told>);

pub(super) fn run(world: &World) -> Replayed {
    let mut all = Vec::new();
    for scenario in SCENARIOS.iter().copied().flatten() {
        let mut tell = |id: String, story: &'static Story, is_attack, known_gap| {
            let built = (story.build)(world);
            let judgement = built.judge(world, Oddity::NONE);
            all.push(Told { id, story, built, judgement, is_attack, known_gap });
        };
        tell(scenario.id.into(), &scenario.story, scenario.is_attack(), scenario.known_gap);
        if let Some(neighbour) = &scenario.neighbour {
            tell(format!("{}, neighbour", scenario.id), neighbour, false, None);
        }
    }
    Replayed(all)
}

impl Told {
    pub(super) fn expected(&self) -> &'static Expected {
        &self.story.expected
    }

    /// Somebody innocent is said to intercept, or the wrong one is named.
    fn accuses_falsely(&self) -> bool {
        let named = self.judgement.interceptor.as_deref();
        let wrong_name = named.is_some() && named != self.expected().interceptor;
        let innocent = !self.is_attack && self.judgement.verdict == Verdict::Intercepted;
        wrong_name || innocent
    }
}

impl Replayed {
    /// The counts.
    pub(super) fn section(&self) -> Section {
        let mut section = Section::new("Incident replay: recorded, written, read again and judged");
        let attacks: Vec<_> = self.0.iter().filter(|told| told.is_attack).collect();
        let right = |told: &&&Told| told.expected().differences(&told.judgement).is_empty();
        let wrong = [Verdict::Intercepted, Verdict::Anomaly, Verdict::Blocked];
        let detected =
            attacks.iter().filter(|told| wrong.contains(&told.judgement.verdict)).count();
        let nameable = attacks.iter().filter(|told| told.expected().interceptor.is_some());
        let nameable: Vec<_> = nameable.collect();
        let named = nameable
            .iter()
            .filter(|told| told.judgement.interceptor.as_deref() == told.expected().interceptor);
        let graded = attacks.iter().filter(right).count();
        let innocent = self.0.len() - attacks.len();
        let explained = self.0.iter().filter(|told| !told.is_attack);
        let explained = explained
            .filter(|told| told.expected().differences(&told.judgement).is_empty())
            .count();
        section.line(format!("forged chains           {:>3}", attacks.len()));
        section.line(format!("  seen to be wrong      {}", share(detected, attacks.len())));
        section.line(format!("  named, of the known   {}", share(named.count(), nameable.len())));
        section.line(format!("  judged as it should   {}", share(graded, attacks.len())));
        let accused = self.0.iter().filter(|told| told.accuses_falsely()).count();
        section.line(format!("innocent chains         {innocent:>3}"));
        section.line(format!("  explained as should   {}", share(explained, innocent)));
        section.line(format!("false accusations       {}", share(accused, self.0.len())));
        for told in &self.0 {
            check(told, &mut section);
        }
        incidents(&mut section);
        section
    }

    /// Every story, one a line.
    pub(super) fn table(&self) -> Section {
        let mut section =
            Section::new("Every chain with its judgement; what stands in [brackets] was not sent");
        for told in &self.0 {
            let mark = if told.known_gap.is_some() { "gap " } else { "" };
            section.line(format!("{}: {}", told.id, told.story.drawn));
            section.line(format!("    {mark}{}", self::told(&told.judgement)));
        }
        section
    }
}

/// A story must be judged as it should, or as its gap says that it is not yet.
fn check(told: &Told, section: &mut Section) {
    let differences = told.expected().differences(&told.judgement);
    match (told.known_gap, differences.is_empty()) {
        (None, true) => {}
        (None, false) => section.fail(format!("{}: {}", told.id, differences.join("; "))),
        (Some(why), false) => {
            section.line(format!("gap: {}: {why}", told.id));
            if told.accuses_falsely() {
                section.fail(format!("{}: a gap may not accuse: {differences:?}", told.id));
            }
        }
        (Some(why), true) => {
            section.fail(format!("{}: judged right, so it is no gap that {why}", told.id));
        }
    }
    if told.judgement.verdict == Verdict::Normal && told.is_attack && told.known_gap.is_none() {
        section.fail(format!("{}: an attack is called normal", told.id));
    }
}

/// Every incident of the catalogue is rebuilt, or there is a reason why not.
fn incidents(section: &mut Section) {
    let rebuilt = SCENARIOS.iter().copied().flatten();
    let rebuilt: BTreeSet<_> = rebuilt.flat_map(|scenario| scenario.incidents.iter()).collect();
    let left = NOT_REBUILT.iter().flat_map(|(_, ids)| ids.iter());
    let known: BTreeSet<_> = rebuilt.iter().copied().chain(left).collect();
    section.line(format!("incidents rebuilt       {:>3} of {}", rebuilt.len(), known.len()));
    for (why, ids) in NOT_REBUILT {
        section.line(format!("  not: {why}: {}", ids.join(", ")));
    }
    let text = std::fs::read_to_string(repository().join("certs/incidents.toml")).unwrap();
    let catalogue: toml::Table = text.parse().unwrap();
    for incident in catalogue["incident"].as_array().unwrap() {
        let id = incident["id"].as_str().unwrap();
        if !known.contains(&id) {
            section.fail(format!("the incident {id} is neither rebuilt nor left out for a reason"));
        }
    }
}

/// A share with its 95 % interval.
pub(super) fn share(part: usize, whole: usize) -> String {
    let count = format!("{part:>3} of {whole}");
    match Rate::of(part as u64, whole as u64) {
        Some(rate) => {
            let per_cent = |share: f64| 100.0 * share;
            let (low, high) = (per_cent(rate.low), per_cent(rate.high));
            format!("{count}   (95 %: {low:.1} to {high:.1} %)")
        }
        None => count,
    }
}
