//! Who signs what: roots, intermediates and leaves.

use crate::encoding;
use crate::extension::{aki, ski};
use crate::key::Key;
use crate::name::name;
use crate::template::Template;

/// A key with a certificate, and a name to sign others under.
#[derive(Clone, Debug)]
pub struct Authority {
    /// The key that signs.
    pub key: Key,
    /// The DER Name that what it signs has as issuer: the subject of `certificate`, unless a test
    /// wants otherwise.
    pub name: Vec<u8>,
    /// DER.
    pub certificate: Vec<u8>,
}

/// A server's key with its certificate.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The key the certificate is for.
    pub key: Key,
    /// DER.
    pub certificate: Vec<u8>,
}

impl Authority {
    /// A self-signed P-256 root with a subject key identifier, named `CN=common_name`.
    pub fn root(common_name: &str) -> Authority {
        let key = Key::ecdsa_p256();
        let template = Template::authority(&name(&[("CN", common_name)])).with(ski(&key.id()));
        Authority::root_with(key, template)
    }

    /// A self-signed root that says exactly what `template` says.
    pub fn root_with(key: Key, template: Template) -> Authority {
        let certificate = encoding::certificate(&key, &template.subject, &key.spki(), &template);
        Authority { key, name: template.subject, certificate }
    }

    /// A P-256 intermediate with both key identifiers, named `CN=common_name`.
    pub fn intermediate(&self, common_name: &str) -> Authority {
        let key = Key::ecdsa_p256();
        let template = Template::authority(&name(&[("CN", common_name)]))
            .with(ski(&key.id()))
            .with(aki(&self.key.id()));
        self.intermediate_with(key, template)
    }

    /// An intermediate that says exactly what `template` says.
    pub fn intermediate_with(&self, key: Key, template: Template) -> Authority {
        let certificate = self.sign(&key.spki(), &template);
        Authority { key, name: template.subject, certificate }
    }

    /// A P-256 leaf for `name` as [`Template::leaf`] describes it, with an authority key
    /// identifier.
    pub fn leaf(&self, name: &str) -> Leaf {
        self.leaf_with(&Key::ecdsa_p256(), Template::leaf(&[name]).with(aki(&self.key.id())))
    }

    /// A leaf that says exactly what `template` says.
    #[expect(clippy::needless_pass_by_value, reason = "templates are written in place, used once")]
    pub fn leaf_with(&self, key: &Key, template: Template) -> Leaf {
        Leaf { key: key.clone(), certificate: self.sign(&key.spki(), &template) }
    }

    /// The DER certificate for the public key `spki` that says exactly what `template` says; no
    /// extension is added.
    ///
    /// # Panics
    /// Where this authority's key does not sign with the template's algorithm, or a validity lies
    /// outside the years 0 to 9999.
    pub fn sign(&self, spki: &[u8], template: &Template) -> Vec<u8> {
        encoding::certificate(&self.key, &self.name, spki, template)
    }
}

/// A certificate that `key` signs for itself and that says exactly what `template` says.
#[expect(clippy::needless_pass_by_value, reason = "templates are written in place, used once")]
pub fn self_signed(key: &Key, template: Template) -> Leaf {
    let certificate = encoding::certificate(key, &template.subject, &key.spki(), &template);
    Leaf { key: key.clone(), certificate }
}
