//! What one handshake shows by itself, before it is compared with anything else that was seen.

use crate::chain::KeyHash;
use crate::chain::fields::Fields;
use crate::measurement::{Handshake, Measurement};
use crate::memory::Memory;
use crate::path::Path;
use crate::reference::Reference;
use crate::trust::{Refusal, fits_name};

/// One handshake for a name, worked out as far as root programs and signatures go.
#[derive(Debug)]
pub struct Sighting<'a> {
    /// The name that was meant, in lower case and without a dot at its end.
    pub name: String,
    /// The leaf, where one was recorded and can be read.
    pub leaf: Option<&'a Fields>,
    /// Who signed whom; `None` without a chain.
    pub path: Option<Path>,
    /// The keys that signed something between the first certificate and its anchor.
    pub signers: Vec<KeyHash>,
    /// A root program accepts the chain for the name at its time, and nothing says that the peer
    /// lacked the key.
    pub vouched: bool,
    /// What the first root program has against the chain.
    pub refusal: Option<Refusal>,
    /// The signatures lead to a key that a root program held at some time, whatever else is wrong.
    pub rooted: bool,
    /// Whether the leaf is for the name; `None` where nobody can tell.
    pub fits: Option<bool>,
}

impl<'a> Sighting<'a> {
    /// `None` where no name was meant.
    pub fn of(
        measurement: &Measurement,
        shaken: &'a Handshake,
        reference: &Reference,
    ) -> Option<Self> {
        Self::with(&mut Memory::with_room(reference, 0), measurement, shaken)
    }

    /// The same, with what is remembered of chains.
    pub fn with(
        memory: &mut Memory<'_>,
        measurement: &Measurement,
        shaken: &'a Handshake,
    ) -> Option<Self> {
        let reference = memory.reference();
        let name = name_of(measurement, Some(shaken))?;
        let mut sighting = Self {
            name,
            leaf: shaken.leaf().and_then(|leaf| leaf.fields()),
            path: None,
            signers: Vec::new(),
            vouched: false,
            refusal: None,
            rooted: false,
            fits: None,
        };
        let Some(chain) = &shaken.chain else { return Some(sighting) };
        let path = memory.path(chain);
        sighting.signers = path.signers(chain);
        sighting.path = Some(path);
        sighting.rooted = sighting.signers.iter().any(|key| reference.is_public(*key, None));
        if sighting.leaf.is_some() {
            sighting.fits = fits_name(chain, &sighting.name);
            let mut accepted = false;
            for (_, answer) in memory.answers(chain, &sighting.name, measurement.started) {
                match answer {
                    Ok(_) => accepted = true,
                    Err(refusal) => _ = sighting.refusal.get_or_insert(refusal),
                }
            }
            sighting.vouched = accepted && shaken.whole && shaken.extra.holds_key != Some(false);
        }
        Some(sighting)
    }

    /// A public authority signed it for the name, and only its dates are wrong.
    pub fn is_wrong_in_dates_only(&self) -> bool {
        let dates = self.refusal.as_ref().is_some_and(Refusal::is_about_dates);
        dates && !self.vouched && self.rooted && self.fits == Some(true)
    }
}

/// The name that a handshake, or a measurement without one, was meant for: in lower case and
/// without a dot at its end.
pub fn name_of(measurement: &Measurement, shaken: Option<&Handshake>) -> Option<String> {
    let sent = shaken.and_then(|shaken| shaken.server_name.clone());
    let name = sent.or_else(|| measurement.target_host());
    name.map(|name| name.trim_end_matches('.').to_ascii_lowercase())
}
