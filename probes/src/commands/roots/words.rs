//! What each group of roots means, in words that a volunteer understands.

use kua::reference::Conduct;
use kua_probes::machine::report::{Group, Known, Root};

/// The heading of a group, and what it means.
pub(super) fn of_group(group: Group) -> (&'static str, &'static str) {
    match group {
        Group::KnownInterceptor => (
            "Roots of known interceptors",
            "Whoever holds such a key can answer in the place of any site, and programs that use \
             the store will not warn you. The key is compared, not the name. Take it out unless \
             you know that you need it, and know what it can do.",
        ),
        Group::SharedKey => (
            "Roots whose key is on many machines",
            "Their private keys came with a product to all its machines, or were published: anybody \
             who has one can answer in the place of any site. Take them out.",
        ),
        Group::Sibling => (
            "Roots made like those of a known interceptor",
            "No list knows these keys. They were made by the same program with the same \
             settings as the roots of a known interceptor, which is a strong hint and no proof: \
             somebody else may use that program so. Ask who installed it before you trust it.",
        ),
        Group::Blocked => (
            "Roots that browsers block",
            "Clients of a root program refuse these keys. Other programs on this machine may \
             still accept them. A block says that a key must not be trusted; it says nothing of \
             who put it here, and an old system may simply never have removed it.",
        ),
        Group::Capability => (
            "Authorities that could intercept",
            "Somebody who can order interception runs these authorities, or they were made for it; \
             no source says that one of them did it. People install a state's root to reach sites \
             that use it. While it is trusted, nothing but its owner's word keeps it from \
             answering for other sites.",
        ),
        Group::Removed => (
            "Roots that root programs removed",
            "A root program trusted these once and no program here does today. Most were \
             retired because of age, at their owner's wish; some because their owner broke the \
             rules. An old system, or a bundle for another purpose, keeps them.",
        ),
        Group::Local => (
            "Roots in no root program",
            "These accuse nobody. Somebody added them: an employer or a school, an antivirus \
             program or parental control, a tool of developers (mkcert, mitmproxy), a container, \
             a network at home. Whoever holds the key of one can answer in the place of any \
             site, so for each of them you should know who that is.",
        ),
        Group::Bundled => (
            "Roots in no root program, in stores that the system makes",
            "No place where people add roots has them. Most came with the system's own package, \
             from an older state of a root program or for another purpose; a bundle that somebody \
             edited looks the same.",
        ),
        Group::Single => (
            "Certificates that are trusted by themselves",
            "They cannot sign others: each stands for one site or service, such as a printer, a \
             router or a test server.",
        ),
        Group::Distrusted => (
            "Roots that you distrust",
            "Every store here that says anything of these refuses them. That is somebody's \
             decision on this machine and needs nothing more.",
        ),
        Group::Unreadable => (
            "Entries that no parser accepts",
            "Programs differ in what they do with these bytes; most ignore them.",
        ),
        Group::Held => ("Certificates that are held and not trusted", ""),
        Group::Public => ("Roots that a root program vouches for", ""),
    }
}

/// Whether the roots of a group are named without being asked for.
pub(super) fn is_listed(group: Group) -> bool {
    group < Group::Held || group == Group::Unreadable
}

/// Whether one line says enough: an old system has many of these.
pub(super) fn is_brief(root: &Root) -> bool {
    let few =
        matches!(root.group, Group::Blocked | Group::Removed | Group::Single) && !root.is_added();
    few || root.group == Group::Bundled || !is_listed(root.group)
}

/// What is known of one root, a line a fact.
pub(super) fn of_root(root: &Root) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(known) = &root.dossier {
        lines.push(format!(
            "{} {} ({}), {}",
            by(root),
            known.title,
            known.id,
            conduct(known.conduct)
        ));
    }
    if let Some(known) = &root.noted_in {
        lines.push(format!("told of in {} ({}); that accuses nobody", known.title, known.id));
    }
    if let Some(known) = &root.sibling_of {
        let misfits = match known.misfits.as_slice() {
            [] => String::new(),
            misfits => format!("; unlike: {}", misfits.join(", ")),
        };
        lines.push(format!("made like those of {} ({})", known.title, known.id));
        lines.push(format!("alike: {}{misfits}", known.fits.join(", ")));
    }
    for blocked in &root.blocked {
        let since = blocked.since.as_ref().map(|since| format!(" since {since}"));
        let why = blocked.why.as_ref().map(|why| format!(": {why}"));
        lines.push(format!(
            "blocked by {}{}{}",
            blocked.list,
            since.unwrap_or_default(),
            why.unwrap_or_default()
        ));
    }
    let removed = root.removed.iter().map(|known| format!("{} by {}", known.program, known.until));
    let removed: Vec<_> = removed.collect();
    if !removed.is_empty() {
        lines.push(format!("removed: {}", removed.join(", ")));
    }
    if !root.programs.is_empty() {
        lines.push(format!("in {}", root.programs.join(", ")));
    }
    if let Some(signer) = root.signed_by.as_ref().filter(|_| root.dossier.is_none()) {
        lines.push(format!("signed by {signer}, an authority of the reference"));
    }
    if let Some(owner) = &root.owner {
        let country = owner.country.as_ref().map(|country| format!(", {country}"));
        let state = owner.state.map(|state| format!(", {}", state.as_str()));
        let (country, state) = (country.unwrap_or_default(), state.unwrap_or_default());
        lines.push(format!("owner: {}{country}{state} (from {})", owner.owner, owner.source));
    }
    if let Some(title) = &root.bears_name_of {
        lines.push(format!(
            "bears a name of {title} with another key; names can be copied and prove nothing"
        ));
    }
    if let Some(product) = &root.named_like {
        lines
            .push(format!("calls itself as {product} does; names can be copied and prove nothing"));
    }
    lines
}

fn by(root: &Root) -> &'static str {
    if root.signed_by.is_some() { "signed by a key of" } else { "the key of" }
}

fn conduct(conduct: Conduct) -> &'static str {
    match conduct {
        Conduct::Interception => "which intercepted",
        Conduct::Announced => "which was announced and never seen to intercept",
        Conduct::Capability => "which was never seen to intercept",
    }
}

/// One sentence on a sibling or an interceptor for the end of the page.
pub(super) fn titles<'a>(roots: impl Iterator<Item = &'a Root>) -> Vec<String> {
    let known = |root: &'a Root| root.dossier.as_ref().map(|known: &Known| known.title.clone());
    let mut titles: Vec<_> = roots.filter_map(known).collect();
    titles.sort_unstable();
    titles.dedup();
    titles
}
