//! What clean vantage points saw for the same names.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::chain::{Certificate, Chain, KeyHash};
use crate::ct;
use crate::measurement::{Failure, Handshake, HelperHandshake, Measurement};
use crate::path::Path;
use crate::reference::{Conduct, Reference};
use crate::sighting::Sighting;

/// What controls saw, by host name in lower case.
#[derive(Clone, Debug, Default)]
pub struct Controls(BTreeMap<String, Vec<Seen>>);

/// One handshake of a control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Where the control connected to.
    pub endpoint: Option<SocketAddr>,
    /// How its handshake failed.
    pub failure: Option<Failure>,
    /// Key of the leaf it was shown, where it kept the leaf.
    pub leaf_key: Option<KeyHash>,
    /// Key that its chain leads up to, where one does.
    pub anchor: Option<KeyHash>,
    /// A root program accepted its chain for the name at its time.
    pub vouched: bool,
    /// The leaf it was shown, where it kept the leaf and a root program vouched.
    pub genuine: Option<Certificate>,
    /// The authorities on the path of its chain, where a root program vouched.
    pub authorities: Vec<Certificate>,
    /// The leaf it was shown carries an SCT that a known log made for it.
    pub logged: bool,
}

impl Controls {
    /// No control at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Takes measurements of vantage points that are believed clean. The belief is checked: a
    /// control that was itself shown a chain of a known interceptor, or of an unknown authority that
    /// is made as a known interceptor's are, says nothing about the site and is left out.
    pub fn new(measurements: &[Measurement], reference: &Reference) -> Self {
        let mut controls = Self::default();
        for measurement in measurements {
            for shaken in &measurement.handshakes {
                let Some(sighting) = Sighting::of(measurement, shaken, reference) else { continue };
                if let Some(seen) = seen(shaken, &sighting, reference) {
                    controls.0.entry(sighting.name).or_default().push(seen);
                }
            }
        }
        controls
    }

    /// What controls saw for `name`.
    pub fn of(&self, name: &str) -> &[Seen] {
        self.0.get(&name.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }
}

impl From<&HelperHandshake> for Seen {
    /// OONI's test helper verifies with Mozilla's roots and keeps no certificate.
    fn from(helper: &HelperHandshake) -> Self {
        Self {
            endpoint: None,
            failure: helper.failure.clone(),
            leaf_key: None,
            anchor: None,
            vouched: helper.failure.is_none(),
            genuine: None,
            authorities: Vec::new(),
            logged: false,
        }
    }
}

fn seen(shaken: &Handshake, sighting: &Sighting<'_>, reference: &Reference) -> Option<Seen> {
    let mut seen = Seen {
        endpoint: shaken.endpoint,
        failure: shaken.failure.clone(),
        leaf_key: None,
        anchor: None,
        vouched: sighting.vouched,
        genuine: shaken.leaf().filter(|_| sighting.vouched).cloned(),
        authorities: Vec::new(),
        logged: false,
    };
    let (Some(chain), Some(path)) = (&shaken.chain, &sighting.path) else { return Some(seen) };
    let dirty = sighting.signers.iter().any(|key| {
        let dossier = reference.interceptor_with(*key);
        dossier.is_some_and(|(dossier, _)| dossier.conduct == Conduct::Interception)
    });
    let signer = sighting.signers.first().copied();
    let forged = shaken.leaf().is_some_and(|leaf| reference.forgery(leaf, signer).is_some());
    if dirty || forged || is_of_family(chain, path, sighting.rooted, reference) {
        return None;
    }
    seen.leaf_key = sighting.leaf.map(|fields| fields.key_hash);
    seen.anchor = path.anchor(chain).map(|key| key.key_hash);
    if seen.vouched {
        let links = path.links.iter().skip(1);
        seen.authorities = links.map(|link| chain.certificates()[*link].clone()).collect();
    }
    // Asked only where it can make a difference.
    if let Some(leaf) = sighting.leaf.filter(|_| seen.vouched) {
        let scts = ct::check(leaf, signer, &reference.logs);
        seen.logged = scts.iter().any(|sct| sct.outcome == ct::Outcome::Valid);
    }
    Some(seen)
}

/// Whether an authority on the path is a sibling of a known interceptor's, and no root program's
/// key signed on the path.
fn is_of_family(chain: &Chain, path: &Path, rooted: bool, reference: &Reference) -> bool {
    if rooted {
        return false;
    }
    let fields = path.links.iter().filter_map(|link| chain.certificates()[*link].fields());
    fields.filter_map(|fields| reference.sibling(fields)).any(|sibling| sibling.fit.is_whole())
}
