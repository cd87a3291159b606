//! The names of the lab, and what happens to each on the national path.

/// One name of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// The SNI, in lower case.
    pub name: &'static str,
    /// The Citizen Lab category code.
    pub category: &'static str,
    /// What happens to it.
    pub fate: Fate,
}

/// What happens to a name on the national path; the clean path leads to the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// The origin presents a leaf that expired 20 days ago.
    Expired,
    /// The interceptor whose root is in the dossier opens it.
    ListedInterceptor,
    /// Nothing.
    Normal,
    /// The antivirus opens it.
    Product,
    /// The censor resets the connection.
    Reset,
    /// The origin presents a leaf that signed itself.
    SelfSigned,
    /// The interceptor whose root nobody has listed opens it.
    UnlistedInterceptor,
}

impl Fate {
    /// Why a target with this fate is in the lab's suite.
    pub fn reason(self) -> &'static str {
        match self {
            Fate::Expired => "its own certificate has expired, on every path",
            Fate::ListedInterceptor => {
                "intercepted by the lab state, under the root in its dossier"
            }
            Fate::Normal => "left alone",
            Fate::Product => "opened by an antivirus on the visitor's machine",
            Fate::Reset => "reset after the ClientHello",
            Fate::SelfSigned => "its own certificate is self-signed, on every path",
            Fate::UnlistedInterceptor => "intercepted under a root that no dossier has",
        }
    }
}

/// Every name of the lab.
pub const HOSTS: &[Host] = &[
    host("www.instagram.com", "GRP", Fate::ListedInterceptor),
    host("www.youtube.com", "MMED", Fate::ListedInterceptor),
    host("www.pinterest.com", "GRP", Fate::UnlistedInterceptor),
    host("github.com", "HOST", Fate::Product),
    host("expired.badssl.com", "CTRL", Fate::Expired),
    host("self-signed.badssl.com", "CTRL", Fate::SelfSigned),
    host("www.bbc.com", "NEWS", Fate::Reset),
    host("en.wiktionary.org", "CULTR", Fate::Normal),
    host("example.com", "CTRL", Fate::Normal),
    host("letsencrypt.org", "HOST", Fate::Normal),
    host("signal.org", "COMT", Fate::Normal),
    host("www.debian.org", "HOST", Fate::Normal),
    host("www.mozilla.org", "HOST", Fate::Normal),
    host("www.openstreetmap.org", "CULTR", Fate::Normal),
    host("www.rfc-editor.org", "CTRL", Fate::Normal),
    host("www.wikipedia.org", "CULTR", Fate::Normal),
];

/// The names with this fate.
pub fn with_fate(fate: Fate) -> impl Iterator<Item = &'static str> {
    HOSTS.iter().filter(move |host| host.fate == fate).map(|host| host.name)
}

const fn host(name: &'static str, category: &'static str, fate: Fate) -> Host {
    Host { name, category, fate }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_lower_case_and_most_are_left_alone() {
        let names: HashSet<_> = HOSTS.iter().map(|host| host.name).collect();
        assert_eq!(names.len(), HOSTS.len());
        assert!(names.iter().all(|name| *name == name.to_ascii_lowercase()));
        assert!(with_fate(Fate::Normal).count() >= 8);
    }
}
