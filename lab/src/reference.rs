//! The lab's reference data, laid out like `certs/`: what a judge must know to read the lab.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64, HEXLOWER};
use kua_mint::{Authority, pem};

use crate::pki::Pki;

/// The files as (path under the reference directory, content). `date` is `YYYY-MM-DD`.
///
/// The dossier knows the root of one interceptor, which is never sent, and not its intermediate;
/// nothing of the other interceptor is in any file, on purpose.
pub(crate) fn files(pki: &Pki, date: &str) -> [(&'static str, String); 3] {
    [
        ("stores/lab-public.pem", store(&pki.public_root, date)),
        ("interceptors/lab-state.toml", dossier(&pki.listed.root)),
        ("products.toml", PRODUCTS.to_owned()),
    ]
}

fn store(root: &Authority, date: &str) -> String {
    format!(
        "# program: Lab public roots\n\
         # date: {date}\n\
         # source: kua-lab\n\
         # licence: generated\n\
         \n\
         # C=QP, O=Lab Public Trust, CN=Lab Public Root\n\
         {}",
        pem(&root.certificate)
    )
}

fn dossier(root: &Authority) -> String {
    let spki = root.key.spki();
    format!(
        "{DOSSIER}\n\
         [[key]]\n\
         role = \"root\"\n\
         subject = \"C=QZ,O=Lab State,CN=Lab State Security Root\"\n\
         sha256 = \"{}\"\n\
         spki_sha256 = \"{}\"\n\
         public_key = \"{}\"\n",
        sha256(&root.certificate),
        sha256(&spki),
        BASE64.encode(&spki),
    )
}

fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
}

const DOSSIER: &str = r#"id = "lab-state"
title = "The lab state's interception"
country = "QZ"
actor = "state"
conduct = "interception"
summary = "A state that exists only in kua-lab opens listed names under a root made when the lab starts."
names = [
    "CN=Lab State Security Root,O=Lab State,C=QZ",
    "CN=Lab State Security Certificate,O=Lab State,C=QZ",
]
"#;

const PRODUCTS: &str = r#"[[source]]
id = "lab"
what = "the antivirus of kua-lab, which exists nowhere else"
where = "lab/src/antivirus.rs"

[[product]]
name = "Lab Shield"
class = "antivirus"
issuer_cn = 'Lab Shield Root'
issuer_o = 'Lab Antivirus'
confidence = "vendor-list"
source = "lab"
"#;
