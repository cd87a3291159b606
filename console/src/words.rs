//! Judgements in words that a volunteer understands: what was seen, how sure, what to do.

use kua::attribution::Basis;
use kua::detect::Level;
use kua::measurement::{Failure, codes};
use kua::reference::{Actor, ClientKind, Reference, Shows};
use kua::verdict::{Judgement, Verdict};

/// One line on one judgement, without the target's name. Names nobody without a key.
pub fn headline(judgement: &Judgement, reference: &Reference) -> String {
    match judgement.verdict {
        Verdict::Intercepted => intercepted(judgement, reference),
        Verdict::Blocked => "the connection was cut here; elsewhere the same site answers".into(),
        Verdict::Anomaly => anomaly(judgement),
        Verdict::Misconfigured => misconfigured(judgement, reference),
        Verdict::Inconclusive if judgement.has("clock-skew") => {
            "out of date, as other sites in this run are by as much: the clock of this machine is wrong"
                .into()
        }
        Verdict::Inconclusive if judgement.has("instrument-defect") => {
            "refused by this version of the program in every network, and by no other version".into()
        }
        Verdict::Inconclusive if judgement.has("invalid-scts") => {
            "vouched for by a public authority, with the promises that logs made for another certificate".into()
        }
        Verdict::Inconclusive if judgement.has("private-pki") => {
            "signed by the authority that the owner of the name runs for itself; no root program \
             is meant to vouch for it"
                .into()
        }
        Verdict::Inconclusive => match &judgement.failure {
            Some(failure) => format!("{} ({failure})", no_answer(failure)),
            None => "nothing was seen that could be judged".into(),
        },
        Verdict::Normal if judgement.has("missing-scts") => {
            "vouched for by a public authority, without the promises of public logs that browsers ask for".into()
        }
        Verdict::Normal if judgement.has("invalid-scts") => {
            "vouched for by a public authority; it carries promises that logs made for another certificate".into()
        }
        Verdict::Normal => "the site's own certificate, vouched for by a public authority".into(),
    }
}

/// What the user of a client saw, in one word: a browser warns, where a program's connection fails.
pub fn shown(shows: Shows, kind: ClientKind) -> &'static str {
    match (shows, kind) {
        (Shows::Silence, _) => "silence",
        (Shows::Warning, ClientKind::Browser) => "warning",
        (Shows::Warning, ClientKind::Program) => "fails",
        (Shows::Unknown, _) => "unknown",
    }
}

fn no_answer(failure: &Failure) -> &'static str {
    match failure.code() {
        codes::CONNECTION_REFUSED => "the server refused the connection",
        codes::CONNECTION_RESET | codes::CONNECTION_ABORTED | codes::EOF => {
            "the connection was cut; without a control nobody can say by whom"
        }
        codes::DNS_NXDOMAIN => "the resolver says that there is no such name",
        codes::GENERIC_TIMEOUT | codes::TIMED_OUT => "no answer came in time",
        codes::HOST_UNREACHABLE | codes::NETWORK_UNREACHABLE => "there is no way to the server",
        codes::SSL_FAILED_HANDSHAKE => "what answered did not speak TLS as it should",
        code if code.starts_with("dns_") => "the name could not be looked up",
        _ => "no answer could be judged",
    }
}

fn intercepted(judgement: &Judgement, reference: &Reference) -> String {
    if judgement.actor == Some(Actor::Portal) {
        return "answered in the site's place by a captive portal: log in to the network, then measure again"
            .into();
    }
    let dossier = judgement
        .interceptor
        .as_ref()
        .and_then(|id| reference.dossiers.iter().find(|dossier| dossier.id == *id));
    if let Some(dossier) = dossier {
        let title = &dossier.title;
        return match judgement.level {
            Some(Level::Confirmed) => {
                format!("answered in the site's place with a key of {title}; the key proves it")
            }
            Some(Level::Probable) => {
                format!("shown a certificate of {title}; nothing that it signed is in the record")
            }
            _ => format!("shown a chain of {title} by somebody who did not prove to hold its key"),
        };
    }
    let sibling =
        judgement.finding("interceptor-family").filter(|_| judgement.actor != Some(Actor::Local));
    let sibling_of = sibling.and_then(|found| found.evidence.get("sibling_of")?.as_str());
    if let Some(known) =
        reference.dossiers.iter().find(|known| Some(known.id.as_str()) == sibling_of)
    {
        return format!(
            "answered in the site's place with a key that is in no list and is made as those of {} are",
            known.title
        );
    }
    let product =
        judgement.finding("known-product").and_then(|found| found.evidence.get("product"));
    match (judgement.actor, product.and_then(|name| name.as_str())) {
        (Some(Actor::Local), Some(name)) => {
            format!("opened on this machine or its network by something that calls itself {name}")
        }
        (Some(Actor::Local), None) => {
            "signed by a key that this machine trusts and no root program does".into()
        }
        _ => "answered in the site's place by somebody on the way, with a key that is in no list"
            .into(),
    }
}

fn anomaly(judgement: &Judgement) -> String {
    if let Some(known) = judgement.finding("known-interceptor") {
        let title = known.evidence.get("title").and_then(|title| title.as_str());
        let title = title.unwrap_or("a listed authority");
        return if judgement.target.is_none() {
            format!("a certificate of {title}; it was presented for no site")
        } else {
            format!(
                "signed by {title}, which was never seen to intercept; the site may have chosen it"
            )
        };
    }
    if judgement.basis.contains(&Basis::Address) {
        return "looked up to an address that is not the site's, where a certificate for other names answers"
            .into();
    }
    if judgement.has("captive-portal") || judgement.has("one-chain-for-all") {
        return "answered with one key for sites that have nothing to do with each other".into();
    }
    if judgement.basis == [Basis::Consensus, Basis::PublicAnchor] {
        return "vouched for by a public authority, with a key that only this network is shown"
            .into();
    }
    if judgement.basis == [Basis::BlockList, Basis::PublicAnchor] {
        return "vouched for by a public authority, and on a list of what some clients refuse; most \
                entries of such lists have nothing to do with interception"
            .into();
    }
    let elsewhere = judgement.basis == [Basis::Control, Basis::PublicAnchor];
    if elsewhere && judgement.has("noted-authority") {
        return "vouched for by a public authority that signed without the owners of names at that \
                time; a control is shown another chain"
            .into();
    }
    if judgement.has("interceptor-name") {
        return "signed by an unknown key that carries the name of a known interceptor".into();
    }
    if judgement.has("unknown-anchor") {
        return "signed by a key that no root program knows; nothing says whose".into();
    }
    let logs = judgement.has("missing-scts") || judgement.has("invalid-scts");
    if logs && elsewhere {
        return "vouched for by a public authority, without the promises of public logs that the site's other key has elsewhere".into();
    }
    let refused = judgement.programs.iter().all(|answer| !answer.accepts);
    match (judgement.programs.first().filter(|_| refused), &judgement.failure) {
        (Some(answer), _) => format!("wrong, and unexplained: {}", answer.why),
        (None, Some(failure)) => format!("wrong, and unexplained ({failure})"),
        (None, None) => "wrong, and unexplained".into(),
    }
}

fn misconfigured(judgement: &Judgement, reference: &Reference) -> String {
    if let Some(chose) = judgement.finding("site-chose-state-ca") {
        let id = chose.evidence.get("dossier").and_then(|id| id.as_str());
        let known = reference.dossiers.iter().find(|dossier| Some(dossier.id.as_str()) == id);
        let title = known.map_or("a state's authority", |dossier| dossier.title.as_str());
        return format!("the site itself seems to have chosen {title}");
    }
    if judgement.basis.contains(&Basis::Control) {
        return "the site itself shows this bad certificate: a control sees it too".into();
    }
    "signed by a public authority for this site and outside its dates: the site's neglect, or a wrong clock here".into()
}

/// What a set of judgements means and what its reader can do: a few paragraphs, worst first.
pub fn meaning(judgements: &[Judgement], reference: &Reference) -> Vec<String> {
    let any = |wanted: &dyn Fn(&Judgement) -> bool| judgements.iter().any(wanted);
    let by = |actor: Actor| {
        any(&|judgement| {
            judgement.verdict == Verdict::Intercepted && judgement.actor == Some(actor)
        })
    };
    let mut paragraphs = Vec::new();
    for dossier in &reference.dossiers {
        if any(&|judgement| judgement.interceptor.as_ref() == Some(&dossier.id)) {
            paragraphs.push(format!(
                "{} answered in the place of some sites. Whoever holds that key can read and \
                 change what you send to them. Do not enter passwords there, and do not install \
                 any certificate that somebody asks you to install: without it your browser warns \
                 you. If it is already installed, remove it.",
                dossier.title
            ));
        }
    }
    let unlisted = |judgement: &Judgement| {
        judgement.verdict == Verdict::Intercepted
            && judgement.interceptor.is_none()
            && judgement.actor != Some(Actor::Local)
            && judgement.actor != Some(Actor::Portal)
    };
    if any(&unlisted) {
        paragraphs.push(
            "Somebody between you and some sites answered in their place, with a key that is in no \
             list. It can be your provider or your state; it can also be software on this machine \
             or a router at home. Measure once more from another machine or another network: if \
             only this one shows it, it is here."
                .into(),
        );
    }
    if by(Actor::Portal) {
        paragraphs.push(
            "This network lets nobody out before a login, as in hotels and trains. Open any page \
             in a browser, log in, and measure again: until then nothing is known of the sites."
                .into(),
        );
    }
    if any(&|judgement| judgement.has("clock-skew")) {
        paragraphs.push(
            "The clock of this machine is wrong: set it, and measure again. Sites that are out of \
             date by it are held against nobody."
                .into(),
        );
    }
    let product = |judgement: &Judgement| judgement.has("known-product");
    let local = |judgement: &Judgement| {
        judgement.verdict == Verdict::Intercepted && judgement.actor == Some(Actor::Local)
    };
    if any(&|judgement| local(judgement) && !product(judgement)) {
        paragraphs.push(
            "A key that was put into this machine's own store of trusted authorities answers in \
             the place of some sites. Its holder can read and change what you send to them. If \
             neither you nor your employer put it there, or if a provider or an office asked you \
             to, take it out: `kua roots` says how."
                .into(),
        );
    }
    if any(&|judgement| local(judgement) && product(judgement)) {
        paragraphs.push(
            "Software that calls itself by the name of a product opens your connections. If you or \
             your employer installed it, that is what it does; if nobody did, find out who did. A \
             name can be copied, so this clears nobody else."
                .into(),
        );
    }
    if any(&|judgement| judgement.verdict == Verdict::Blocked) {
        paragraphs.push(
            "Some connections were cut as soon as the name of the site was sent, while a control \
             reached it. That is what blocking looks like; a broken line looks the same once, so \
             measure again."
                .into(),
        );
    }
    if any(&|judgement| judgement.verdict == Verdict::Anomaly) {
        paragraphs.push(
            "Some answers are wrong and nothing here explains them. They accuse nobody. A control \
             measurement from another country (--control) often tells a broken site from an \
             interception."
                .into(),
        );
    }
    if any(&|judgement| judgement.verdict == Verdict::Misconfigured) {
        paragraphs.push(
            "Some sites show a bad certificate of their own, to everybody. That is their mistake \
             and nobody's interception."
                .into(),
        );
    }
    let unanswered = |judgement: &Judgement| judgement.verdict == Verdict::Inconclusive;
    if judgements.len() > 1 && judgements.iter().all(unanswered) {
        paragraphs.push(
            "Not one site gave an answer that could be judged. Most likely this machine is not \
             online, or its resolver does not answer: see to that first."
                .into(),
        );
    } else if any(&unanswered) {
        paragraphs.push(
            "Some sites gave no answer that could be judged. That is not good news, only no news."
                .into(),
        );
    }
    if !judgements.is_empty() && !any(&|judgement| judgement.verdict != Verdict::Normal) {
        paragraphs.push(
            "Every site showed a certificate that a public authority vouches for. Nobody was seen \
             to intercept these names, here and now; other names or another day may differ."
                .into(),
        );
    }
    paragraphs
}
