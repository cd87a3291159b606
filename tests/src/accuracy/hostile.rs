//! Every forged chain of the replay as odd as a peer can send it: is the interceptor still seen?

use std::collections::BTreeMap;

use kua::attribution::Basis;
use kua::verdict::{Judgement, Verdict};
use kua_mint::{OddLeaf, Oddity};

use super::replay::{Replayed, Told, share};
use super::report::Section;
use super::world::World;

/// What became of a judgement, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Verdict, actor and interceptor are what they were.
    Same,
    /// Something else is said, and nobody else is accused.
    Otherwise,
    /// Somebody is named or accused who was not.
    Another,
    /// The interceptor's signature is there, and he is not named any more.
    Lost,
    /// It is called good.
    Normal,
}

/// Whether the signature that names the interceptor can still be checked.
fn signature_is_there(oddity: Oddity) -> bool {
    oddity.leaf != OddLeaf::GostSignature
}

/// Whether the chain is still of what names the interceptor. A leaf that is known by its key is
/// another one with another key, a misused authority is one at the time of its misuse, and no public
/// authority signs a leaf of 2050 for anybody.
fn is_the_same(told: &Told, oddity: Oddity) -> bool {
    match oddity.leaf {
        OddLeaf::GostKey => told.judgement.basis != [Basis::KeyInChain],
        OddLeaf::From2050 => {
            let public = told.judgement.basis.contains(&Basis::PublicAnchor);
            !public && !told.judgement.has("noted-authority")
        }
        _ => true,
    }
}

fn fate(told: &Told, found: &Judgement, oddity: Oddity) -> Fate {
    let was = &told.judgement;
    let good = [Verdict::Normal, Verdict::Misconfigured];
    if good.contains(&found.verdict) && !good.contains(&was.verdict) {
        return Fate::Normal;
    }
    let other_name = found.interceptor.is_some() && found.interceptor != was.interceptor;
    let other_actor = found.actor.is_some() && was.actor.is_some() && found.actor != was.actor;
    let vaguer = found.actor == Some(kua::reference::Actor::Unknown);
    if other_name
        || (other_actor && !vaguer)
        || (was.actor.is_none() && found.interceptor.is_some())
    {
        return Fate::Another;
    }
    if was.interceptor.is_some() && found.interceptor.is_none() && signature_is_there(oddity) {
        return Fate::Lost;
    }
    let same = (found.verdict, found.actor, &found.interceptor)
        == (was.verdict, was.actor, &was.interceptor);
    if same { Fate::Same } else { Fate::Otherwise }
}

pub(super) fn section(world: &World, replayed: &Replayed) -> Section {
    let title = "Hostile variants: every chain of the replay, one oddity at a time";
    let mut section = Section::new(title);
    let (mut attacks, mut innocents, mut accused) = (0, 0, 0);
    // What is said otherwise than without an oddity, and with how many of them.
    let mut changed: BTreeMap<(String, String), usize> = BTreeMap::new();
    section.line(format!("{:<40}{:>6}{:>11}{:>8}", "forged chains", "same", "otherwise", "wrong"));
    for (what, oddity) in Oddity::EACH {
        let (mut same, mut otherwise, mut wrong) = (0, 0, 0);
        let attacked = replayed.0.iter().filter(|told| told.is_attack);
        for told in attacked.filter(|told| is_the_same(told, *oddity)) {
            attacks += 1;
            let found = told.built.judge(world, *oddity);
            match fate(told, &found, *oddity) {
                Fate::Same => same += 1,
                Fate::Otherwise => {
                    otherwise += 1;
                    let became = super::expected::told(&found);
                    *changed.entry((told.id.clone(), became)).or_default() += 1;
                }
                bad => {
                    wrong += 1;
                    let became = super::expected::told(&found);
                    section.fail(format!("{}: {what}: {bad:?}: {became}", told.id));
                }
            }
        }
        section.line(format!("{what:<40}{same:>6}{otherwise:>11}{wrong:>8}"));
        // An authority that somebody trusts signs nothing that only GOST could check.
        for told in replayed.0.iter().filter(|told| !told.is_attack) {
            if !signature_is_there(*oddity) {
                continue;
            }
            innocents += 1;
            let found = told.built.judge(world, *oddity);
            if found.verdict == Verdict::Intercepted || found.interceptor.is_some() {
                accused += 1;
                let became = super::expected::told(&found);
                section.fail(format!("{}: {what}: accused: {became}", told.id));
            }
        }
    }
    for ((id, became), count) in changed {
        section.line(format!("  otherwise, {count:>2}: {id}: {became}"));
    }
    section.line(format!("forged chains judged    {attacks:>4}"));
    section.line(format!("innocent chains accused {}", share(accused, innocents)));
    section
}
