//! The keys and certificates of one lab, minted around the moment it starts.

use std::thread;

use kua_mint::{
    Authority, Extension, Key, Template, aki, basic_constraints, name, self_signed, ski,
};

use crate::hosts::{Fate, HOSTS, Host};
use crate::identity::Identity;

const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;
/// certificatePolicies with domain-validated (2.23.140.1.2.1), as public leaves carry it.
const DOMAIN_VALIDATED: &[u8] = b"\x30\x0a\x30\x08\x06\x06\x67\x81\x0c\x01\x02\x01";

/// Everyone who signs in the lab, and what the sites present.
pub(crate) struct Pki {
    /// Stands in for a root of the public programs.
    pub(crate) public_root: Authority,
    pub(crate) listed: State,
    pub(crate) unlisted: State,
    pub(crate) product: Authority,
    pub(crate) product_key: Key,
    /// By name, in the order of [`HOSTS`].
    pub(crate) sites: Vec<(String, Identity)>,
}

/// An interceptor's root with the intermediate that signs its forged leaves.
pub(crate) struct State {
    pub(crate) root: Authority,
    pub(crate) intermediate: Authority,
}

/// Mints everything around `now`, in seconds since 1970 UTC. Slow: four long RSA keys and three
/// shorter ones, on as many threads as there are owners.
pub(crate) fn mint(now: i64) -> Pki {
    let (listed, unlisted, product, product_key) = thread::scope(|scope| {
        let listed =
            scope.spawn(|| state("Lab State Security Root", "Lab State Security Certificate", now));
        let unlisted = scope
            .spawn(|| state("Lab State Security Root 2", "Lab State Security Certificate 2", now));
        let product = product(now);
        let product_key = Key::rsa(2048);
        let listed = listed.join().expect("minting does not panic");
        let unlisted = unlisted.join().expect("minting does not panic");
        (listed, unlisted, product, product_key)
    });

    let public_root = public_authority("Lab Public Root", None, now);
    let issuer = public_authority("Lab Public CA 1", Some(&public_root), now);
    let sites = HOSTS.iter().map(|host| (host.name.to_owned(), site(host, &issuer, now))).collect();
    Pki { public_root, listed, unlisted, product, product_key, sites }
}

/// The validity of leaves that are current at `now`.
pub(crate) fn current(now: i64) -> (i64, i64) {
    (now - 30 * DAY, now + 60 * DAY)
}

/// The root takes the lengths and the ages of Kazakhstan's of 2019: RSA-4096 for 30 years over
/// RSA-2048 for 3 years.
fn state(root_name: &str, intermediate_name: &str, now: i64) -> State {
    let subject = |common_name| name(&[("C", "QZ"), ("O", "Lab State"), ("CN", common_name)]);
    let key = Key::rsa(4096);
    let template = Template::authority(&subject(root_name))
        .valid(now - YEAR, now + 29 * YEAR)
        .with(ski(&key.id()));
    let root = Authority::root_with(key, template);

    let key = Key::rsa(2048);
    let template = Template::authority(&subject(intermediate_name))
        .valid(now - 90 * DAY, now + 3 * YEAR - 90 * DAY)
        .with(ski(&key.id()))
        .with(aki(&root.key.id()));
    let intermediate = root.intermediate_with(key, template);
    State { root, intermediate }
}

fn product(now: i64) -> Authority {
    let key = Key::rsa(2048);
    let subject = name(&[("O", "Lab Antivirus"), ("CN", "Lab Shield Root")]);
    let template =
        Template::authority(&subject).valid(now - YEAR, now + 9 * YEAR).with(ski(&key.id()));
    Authority::root_with(key, template)
}

fn public_authority(common_name: &str, issuer: Option<&Authority>, now: i64) -> Authority {
    let key = Key::ecdsa_p256();
    let subject = name(&[("C", "QP"), ("O", "Lab Public Trust"), ("CN", common_name)]);
    let template =
        Template::authority(&subject).valid(now - 5 * YEAR, now + 5 * YEAR).with(ski(&key.id()));
    match issuer {
        Some(root) => root.intermediate_with(key, template.with(aki(&root.key.id()))),
        None => Authority::root_with(key, template),
    }
}

fn site(host: &Host, issuer: &Authority, now: i64) -> Identity {
    let key = Key::ecdsa_p256();
    let (from, until) = match host.fate {
        Fate::Expired => (now - 110 * DAY, now - 20 * DAY),
        _ => current(now),
    };
    let template = Template::leaf(&[host.name]).valid(from, until);
    if host.fate == Fate::SelfSigned {
        let leaf = self_signed(&key, template);
        return Identity { chain: vec![leaf.certificate], key: leaf.key };
    }
    let template = template
        .with(basic_constraints(false, None))
        .with(ski(&key.id()))
        .with(aki(&issuer.key.id()))
        .with(Extension {
            oid: vec![2, 5, 29, 32],
            critical: false,
            value: DOMAIN_VALIDATED.to_vec(),
        });
    let leaf = issuer.leaf_with(&key, template);
    Identity { chain: vec![leaf.certificate, issuer.certificate.clone()], key: leaf.key }
}
