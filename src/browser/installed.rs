//! Suppose that the root of this chain was installed: what would a strict client then say of it?

use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use time::OffsetDateTime;
use webpki::{EndEntityCert, KeyUsage};

use super::Question;
use crate::chain::Certificate;
use crate::chain::name::attributes_of;
use crate::path::Top;
use crate::reference::Reference;
use crate::trust::Anchor;

/// Most certificates after the leaf that a path is looked for in.
const MAX_INTERMEDIATES: usize = 64;

/// What is supposed to be installed.
pub(super) enum Above<'a> {
    /// The root that was sent.
    Root(&'a Certificate),
    /// A key that the reference knows, under the name that the last link's issuer has.
    Key { spki: &'a [u8], subject: &'a [u8] },
    /// An issuer of which only the name is known.
    Issuer(String),
}

/// What stands above the path, or why nobody can suppose it installed.
pub(super) fn above<'a>(
    question: &Question<'a>,
    reference: &'a Reference,
) -> Result<Above<'a>, &'static str> {
    let certificates = question.chain.certificates();
    let last = question.path.links.last().map(|link| &certificates[*link]);
    let Some((last, fields)) = last.and_then(|last| Some((last, last.fields()?))) else {
        return Err("the leaf cannot be read");
    };
    match &question.path.top {
        Top::SelfSigned if question.path.links.len() == 1 => {
            Err("the server's own certificate has no root above it, and what clients do with one \
                 that was installed itself differs")
        }
        Top::SelfSigned => Ok(Above::Root(last)),
        Top::Signed(key) => {
            let (spki, stated) = spki_of(key.key_hash, reference)
                .ok_or("the key that signed it is not in the reference")?;
            // Clients look for a root by its name.
            if attributes_of(stated) != fields.issuer.attributes() {
                return Err("the name of its issuer is not that of the key that signed it");
            }
            Ok(Above::Key { spki, subject: fields.issuer.der() })
        }
        Top::Unknown => Ok(Above::Issuer(fields.issuer.to_string())),
        Top::Unreadable => Err("a certificate of the path cannot be read"),
    }
}

fn spki_of(key: crate::chain::KeyHash, reference: &Reference) -> Option<(&[u8], &str)> {
    let anchors = reference.anchors_with(key).map(|(_, anchor)| anchor);
    let anchors = anchors.map(|anchor| (anchor.key_hash, &anchor.spki, &anchor.subject));
    let dossiers = reference.dossiers.iter().flat_map(|dossier| &dossier.keys);
    let listed = dossiers.chain(reference.private_pkis.iter().flat_map(|pki| &pki.keys));
    let listed = listed.map(|known| (known.key_hash, &known.spki, &known.subject));
    let mut known = anchors.chain(listed);
    let (_, spki, subject) = known.find(|(hash, ..)| *hash == key)?;
    Some((spki, subject))
}

/// What a strict client has against the path, its leaf's name and dates aside; `None` where nothing.
///
/// With the name constraints of the root, or without them as if it had none.
pub(super) fn refusal(
    question: &Question<'_>,
    above: &Above<'_>,
    at: OffsetDateTime,
    constrained: bool,
) -> Option<String> {
    let certificates = question.chain.certificates();
    let root;
    let mut anchor = match above {
        Above::Root(sent) => {
            root = CertificateDer::from(sent.der());
            match webpki::anchor_from_trusted_cert(&root) {
                Ok(anchor) => anchor,
                Err(error) => return Some(error.to_string()),
            }
        }
        Above::Key { spki, subject } => match Anchor::from_key(spki, subject) {
            Some(anchor) => anchor.webpki,
            None => return Some("the key of its root cannot be read".to_owned()),
        },
        // The last link is supposed to be signed: all below it can be checked.
        Above::Issuer(_) => match question.path.links.as_slice() {
            [] | [_] => return (!is_well_formed(question)).then(|| "an odd leaf".to_owned()),
            [.., last] => {
                root = CertificateDer::from(certificates[*last].der());
                match webpki::anchor_from_trusted_cert(&root) {
                    Ok(anchor) => anchor,
                    Err(error) => return Some(error.to_string()),
                }
            }
        },
    };
    if !constrained {
        anchor.name_constraints = None;
    }
    let der = CertificateDer::from(question.chain.first().der());
    let leaf = match EndEntityCert::try_from(&der) {
        Ok(leaf) => leaf,
        Err(error) => return Some(error.to_string()),
    };
    let sent = certificates.iter().skip(1).take(MAX_INTERMEDIATES);
    let intermediates: Vec<_> = sent.map(|sent| CertificateDer::from(sent.der())).collect();
    let Ok(seconds) = u64::try_from(at.unix_timestamp()) else {
        return Some("a moment before 1970".into());
    };
    let anchors = [anchor];
    let path = leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &anchors,
        &intermediates,
        UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
        KeyUsage::server_auth(),
        None,
        None,
    );
    path.err().map(|error| error.to_string())
}

/// Whether the path is one of a server under authorities, as far as its certificates say: what a
/// strict client does not come to look at where a signature is weak.
pub(super) fn is_well_formed(question: &Question<'_>) -> bool {
    let certificates = question.chain.certificates();
    let mut links = question.path.links.iter().filter_map(|link| certificates[*link].fields());
    let leaf = links.next().is_some_and(|leaf| leaf.version == 3 && !leaf.is_ca);
    leaf && links.all(|link| link.version == 3 && link.is_ca)
}
