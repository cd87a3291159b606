//! What judgements are made with, and the version that stands for it.

use kua::chain::Fingerprint;
use kua::measurement::Measurement;
use kua::reference::Reference;
use kua::surroundings::Surroundings;
use kua::verdict::RULES;
use kua::wire::to_line;
use kua_archive::judged::Version;

/// Reference data and controls.
#[derive(Debug)]
pub struct Setting<'a> {
    reference: &'a Reference,
    /// What controls saw; nothing else yet.
    controls: Surroundings,
    control: Option<String>,
}

impl<'a> Setting<'a> {
    /// With these controls; none is no control.
    pub fn new(reference: &'a Reference, controls: &[Measurement]) -> Self {
        let mut all = String::new();
        for measurement in controls {
            all.push_str(&to_line(measurement));
            all.push('\n');
        }
        let control = (!controls.is_empty()).then(|| Fingerprint::of(all.as_bytes()).to_string());
        let controls = Surroundings::of_controls(controls, reference);
        Self { reference, controls, control }
    }

    /// The reference data.
    pub fn reference(&self) -> &'a Reference {
        self.reference
    }

    /// What controls saw.
    pub(super) fn controls(&self) -> Surroundings {
        self.controls.clone()
    }

    /// The version of judgements that are made with it.
    pub fn version(&self) -> Version {
        let (kua, reference) = (env!("CARGO_PKG_VERSION"), self.reference.digest());
        let control = self.control.as_deref().unwrap_or("-");
        let all = format!("kua.judgement/1 {RULES} {reference} {control}");
        let files = self.reference.sources.iter();
        Version {
            id: Fingerprint::of(all.as_bytes()).to_string()[..32].to_owned(),
            kua: kua.into(),
            rules: RULES.into(),
            reference,
            files: files.map(|file| (file.path.clone(), file.sha256.clone())).collect(),
            control: self.control.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_reference_or_another_control_is_another_version() {
        let reference = Reference::built_in().unwrap();
        let version = |controls: &[Measurement]| Setting::new(&reference, controls).version();
        let none = version(&[]);
        assert_eq!(none, version(&[]));
        assert_eq!(none.id.len(), 32);
        let control = Measurement { run: Some("control".into()), ..Measurement::default() };
        assert_ne!(none.id, version(&[control]).id);
        let mut other = Reference::built_in().unwrap();
        other.sources[0].sha256 = "0".repeat(64);
        assert_ne!(none.id, Setting::new(&other, &[]).version().id);
    }
}
