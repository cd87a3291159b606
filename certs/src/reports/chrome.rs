//! Chrome's root store as Chromium's sources hold it: `root_store.textproto`.

use data_encoding::BASE64;
use time::OffsetDateTime;

use super::textproto::{self, Field};
use super::{ReportError, hash, text};
use crate::layout::Sha256;

/// Chrome's root store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootStore {
    /// Its number; it grows with every change.
    pub version: u64,
    /// What Chrome trusts for TLS servers, intermediates that it trusts by themselves among them.
    pub anchors: Vec<Anchor>,
}

/// A certificate that Chrome trusts for TLS servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// As stated: `root_store.certs` holds the certificates.
    pub sha256: Sha256,
    /// A chain is accepted where it fits one of these sets; without any, always.
    pub constraints: Vec<Constraints>,
}

/// Constraints that hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Constraints {
    /// Some SCT must be of this moment or before.
    pub sct_not_after: Option<OffsetDateTime>,
    /// Every SCT must be after this moment.
    pub sct_all_after: Option<OffsetDateTime>,
    /// The set is for this version of Chrome and later ones.
    pub min_version: Option<String>,
    /// The set is for versions of Chrome before this one.
    pub max_version_exclusive: Option<String>,
    /// Names that may stand in a leaf; empty means any.
    pub permitted_dns_names: Vec<String>,
}

impl Anchor {
    /// What the newest Chrome asks: the moment by which a leaf must have an SCT, where every set that
    /// still counts for it names one. `None` where some set asks for less; an error of `()` where no
    /// set counts any more, and the newest Chrome does not trust the anchor at all.
    fn newest(&self) -> Option<Option<OffsetDateTime>> {
        let counts = |set: &&Constraints| set.max_version_exclusive.is_none();
        let mut latest = None;
        for set in self.constraints.iter().filter(counts) {
            match (set.sct_not_after, latest) {
                (None, _) => return Some(None),
                (moment, None) => latest = Some(moment),
                (moment, Some(known)) => latest = Some(moment.max(known)),
            }
        }
        if self.constraints.is_empty() { Some(None) } else { latest }
    }

    /// Whether the newest Chrome trusts it for anything.
    pub fn is_trusted(&self) -> bool {
        self.newest().is_some()
    }

    /// The moment by which a leaf must have an SCT for the newest Chrome, if any.
    pub fn sct_after(&self) -> Option<OffsetDateTime> {
        self.newest().flatten()
    }
}

/// Reads the text, also where it comes in base64, as Chromium's own server gives it out.
///
/// # Errors
/// Text that is cut or not understood; an anchor without a hash; [`ReportError::Empty`] without a version
/// or an anchor.
pub fn from_bytes(bytes: &[u8]) -> Result<RootStore, ReportError> {
    let fields = textproto::parse(text(&plain(bytes))?)?;
    let mut version = None;
    let mut anchors = Vec::new();
    let mut row = 0;
    for field in &fields {
        let is_anchor = match (field.name.as_str(), field.value.message()) {
            ("version_major", None) => {
                version = field.value.scalar().and_then(|number| number.parse().ok());
                continue;
            }
            ("trust_anchors", Some(_)) => true,
            ("additional_certs", Some(inner)) => inner
                .iter()
                .any(|it| it.name == "tls_trust_anchor" && it.value.scalar() == Some("true")),
            _ => false,
        };
        if let (true, Some(inner)) = (is_anchor, field.value.message()) {
            row += 1;
            let anchor = anchor(inner).map_err(|reason| ReportError::BadRow { row, reason });
            anchors.push(anchor?);
        }
    }
    match (version, anchors.is_empty()) {
        (None, _) => Err(ReportError::Empty { what: "version" }),
        (_, true) => Err(ReportError::Empty { what: "trust anchor" }),
        (Some(version), false) => Ok(RootStore { version, anchors }),
    }
}

/// Chromium's server gives out files in base64; PEM and this text are no base64 themselves.
pub fn plain(bytes: &[u8]) -> Vec<u8> {
    BASE64.decode(bytes.trim_ascii()).unwrap_or_else(|_| bytes.to_vec())
}

fn anchor(fields: &[Field]) -> Result<Anchor, String> {
    let stated = fields.iter().find(|field| field.name == "sha256_hex");
    let sha256 = stated.and_then(|field| hash(field.value.scalar()?));
    let sets = fields.iter().filter(|field| field.name == "constraints");
    let constraints: Result<Vec<_>, _> = sets
        .map(|field| constraints(field.value.message().ok_or("constraints are not understood")?))
        .collect();
    Ok(Anchor { sha256: sha256.ok_or("an anchor has no SHA-256")?, constraints: constraints? })
}

fn constraints(fields: &[Field]) -> Result<Constraints, String> {
    let mut set = Constraints::default();
    for field in fields {
        let unknown = || format!("the constraint {} is not understood", field.name);
        let value = field.value.scalar().ok_or_else(unknown)?;
        let moment = || {
            let seconds: Option<i64> = value.parse().ok();
            seconds.and_then(|it| OffsetDateTime::from_unix_timestamp(it).ok()).ok_or_else(unknown)
        };
        match field.name.as_str() {
            "sct_not_after_sec" => set.sct_not_after = Some(moment()?),
            "sct_all_after_sec" => set.sct_all_after = Some(moment()?),
            "min_version" => set.min_version = Some(value.to_owned()),
            "max_version_exclusive" => set.max_version_exclusive = Some(value.to_owned()),
            "permitted_dns_names" => set.permitted_dns_names.push(value.to_owned()),
            // What later versions add may loosen or tighten: nobody can tell.
            _ => return Err(unknown()),
        }
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(anchors: &str) -> String {
        format!("# A comment.\nversion_major: 40\n{anchors}")
    }

    fn anchor(sets: &str) -> String {
        format!("trust_anchors {{ sha256_hex: \"{}\" eutl: true {sets} }}\n", "01".repeat(32))
    }

    #[test]
    fn roots_and_intermediates_that_are_anchors() {
        let hash = "02".repeat(32);
        let text = store(&format!(
            "{}additional_certs {{ sha256_hex: \"{hash}\" tls_trust_anchor: true }}\n\
             additional_certs {{ sha256_hex: \"{hash}\" eutl: true }}\n",
            anchor("")
        ));
        for bytes in [text.clone().into_bytes(), BASE64.encode(text.as_bytes()).into_bytes()] {
            let store = from_bytes(&bytes).unwrap();
            assert_eq!(store.version, 40);
            let hashes: Vec<_> = store.anchors.iter().map(|anchor| anchor.sha256[0]).collect();
            assert_eq!(hashes, [1, 2]);
        }
    }

    #[test]
    fn what_the_newest_chrome_asks() {
        let newest = "constraints { sct_not_after_sec: 1731369599 min_version: \"131\" }";
        let later = "constraints { sct_not_after_sec: 1751369599 }";
        let former = "constraints: { max_version_exclusive: \"131\" }";
        for (sets, trusted, seconds) in [
            (String::new(), true, None),
            (format!("{newest} {former}"), true, Some(1_731_369_599)),
            (format!("{newest} {later}"), true, Some(1_751_369_599)),
            (format!("{newest} constraints {{ permitted_dns_names: \"a\" }}"), true, None),
            (former.to_owned(), false, None),
        ] {
            let store = from_bytes(store(&anchor(&sets)).as_bytes()).unwrap();
            let anchor = &store.anchors[0];
            assert_eq!(anchor.is_trusted(), trusted, "{sets}");
            let asked = anchor.sct_after().map(OffsetDateTime::unix_timestamp);
            assert_eq!(asked, seconds, "{sets}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let good = store(&anchor(""));
        for text in [
            String::new(),
            "version_major: 40".into(),
            good.replace("version_major: 40", ""),
            good.replace("0101", "01"),
            good[..good.len() - 3].to_owned(),
            store(&anchor("constraints { sct_not_after_sec: \"soon\" }")),
            store(&anchor("constraints { moon_phase: 1 }")),
            store(&anchor("constraints: 1")),
        ] {
            assert!(from_bytes(text.as_bytes()).is_err(), "{text}");
        }
        assert!(from_bytes(b"\xff\xff").is_err());
    }
}
