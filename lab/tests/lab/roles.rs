//! Single roles, put together in ways that the whole network does not show.

use std::net::SocketAddr;

use kua_lab::antivirus::{self, Antivirus};
use kua_lab::censor::{self, Censor};
use kua_lab::interceptor::{self, Interceptor};
use kua_lab::site::{self, Sites};
use kua_lab::{Identity, Route};
use kua_mint::{Authority, Key, Template, name, self_signed};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use time::OffsetDateTime;
use tokio::net::TcpListener;

use crate::client::{visit, visit_with};

const NAME: &str = "site.example";
const DAY: i64 = 86_400;

#[tokio::test]
async fn the_interceptor_opens_what_a_public_root_vouches_for_and_nothing_else() {
    let public = current_root("public");
    let other = current_root("other");
    let expired = Template::leaf(&[NAME]).valid(now() - 20 * DAY, now() - DAY);
    let itself = self_signed(&Key::ecdsa_p256(), current(NAME));
    for (case, origin, opened) in [
        ("public root -> leaf", leaf(&public, current(NAME)), true),
        ("public root -> leaf of another name", leaf(&public, current("other.example")), true),
        ("public root -> expired leaf", leaf(&public, expired), false),
        ("unknown root -> leaf", leaf(&other, current(NAME)), false),
        (
            "leaf signed by itself",
            Identity { chain: vec![itself.certificate], key: itself.key },
            false,
        ),
    ] {
        let genuine = origin.chain.clone();
        let site = site_at(origin).await;
        let entry = interceptor_at(&public, site).await;
        let chain = visit(entry, NAME).await.chain;
        assert_eq!(chain != genuine, opened, "{case}");
    }
}

#[tokio::test]
async fn the_interceptor_chooses_the_protocol_that_the_origin_chose() {
    let public = current_root("public");
    let site = site_at(leaf(&public, current(NAME))).await;
    let entry = interceptor_at(&public, site).await;
    for (offered, chosen) in
        [(&["h2", "http/1.1"][..], Some("h2")), (&["http/1.1"], Some("http/1.1")), (&[], None)]
    {
        let seen = visit_with(entry, NAME, rustls::ALL_VERSIONS, offered).await;
        assert!(seen.stream.is_ok());
        assert_eq!(seen.alpn.as_deref(), chosen.map(str::as_bytes));
    }
}

#[tokio::test]
async fn an_antivirus_without_a_list_opens_every_name() {
    let origin = leaf(&current_root("public"), current(NAME));
    let genuine = origin.chain.clone();
    let antivirus = Antivirus {
        names: None,
        root: current_root("shield"),
        key: Key::ecdsa_p256(),
        validity: (now() - DAY, now() + DAY),
        route: Route { next: site_at(origin).await },
    };
    let root = antivirus.root.certificate.clone();
    let (listener, entry) = bind().await;
    tokio::spawn(antivirus::serve(listener, antivirus));
    let chain = visit(entry, NAME).await.chain;
    assert_ne!(chain, genuine);
    assert_eq!(chain[1], root);
}

#[tokio::test]
async fn a_box_without_a_next_hop_ends_the_connection() {
    let (closed, next) = bind().await;
    drop(closed);
    let (listener, entry) = bind().await;
    let names = [NAME.to_owned()].into();
    tokio::spawn(censor::serve(listener, Censor { names, route: Route { next } }));
    assert!(visit(entry, "other.example").await.stream.is_err());
}

async fn interceptor_at(public: &Authority, next: SocketAddr) -> SocketAddr {
    let mut public_roots = RootCertStore::empty();
    public_roots.add(CertificateDer::from(public.certificate.clone())).expect("a root");
    let interceptor = Interceptor {
        names: vec![NAME.to_owned()],
        issuer: current_root("state"),
        seed: 1,
        public_roots,
        route: Route { next },
    };
    let (listener, entry) = bind().await;
    tokio::spawn(interceptor::serve(listener, interceptor));
    entry
}

async fn site_at(origin: Identity) -> SocketAddr {
    let (listener, address) = bind().await;
    let sites = Sites::new(&[(NAME.to_owned(), origin)]).expect("a site");
    tokio::spawn(site::serve(listener, sites));
    address
}

async fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

fn current_root(common_name: &str) -> Authority {
    let template = Template::authority(&name(&[("CN", common_name)]));
    Authority::root_with(Key::ecdsa_p256(), template.valid(now() - DAY, now() + DAY))
}

fn current(name: &str) -> Template {
    Template::leaf(&[name]).valid(now() - DAY, now() + DAY)
}

fn leaf(issuer: &Authority, template: Template) -> Identity {
    let leaf = issuer.leaf_with(&Key::ecdsa_p256(), template);
    Identity { chain: vec![leaf.certificate], key: leaf.key }
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}
