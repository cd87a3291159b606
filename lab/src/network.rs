//! The composition: every role on loopback, in a row.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::task::{self, JoinSet};

use crate::antivirus::{self, Antivirus};
use crate::censor::{self, Censor};
use crate::error::LabError;
use crate::handover;
use crate::hosts::{Fate, with_fate};
use crate::interceptor::{self, Interceptor};
use crate::pki::{self, Pki};
use crate::route::Route;
use crate::site::{self, Sites};

/// A running lab. Dropping it closes every listener and connection.
#[derive(Debug)]
pub struct Network {
    /// Leads to the sites and nothing else.
    pub clean: SocketAddr,
    /// Leads through every box of the national path.
    pub national: SocketAddr,
    /// The boxes in the order in which the national path meets them, the sites last.
    pub hops: Vec<Hop>,
    out: PathBuf,
    running: JoinSet<()>,
}

/// One box of the national path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// What it is.
    pub role: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    /// The fate of the names it acts on; absent for the sites, which answer to every name.
    pub acts_on: Option<Fate>,
}

impl Network {
    /// Mints the lab's keys, binds every role to a free port of 127.0.0.1 and writes into `out`
    /// what a measurement needs: `reference/`, `suite.toml`, `clean.args`, `national.args` and,
    /// last, `ready`.
    ///
    /// # Errors
    /// [`LabError::Bind`], [`LabError::Tls`] or [`LabError::Write`], as they say.
    pub async fn start(out: &Path) -> Result<Network, LabError> {
        handover::withdraw(out)?;
        let started = OffsetDateTime::from(SystemTime::now());
        let now = started.unix_timestamp();
        let pki = task::spawn_blocking(move || pki::mint(now)).await.map_err(LabError::Keys)?;

        let network = Network::lay(out, &pki, now).await?;
        let date = started.date().to_string();
        handover::write(out, &pki, &date, network.clean, network.national)?;
        Ok(network)
    }

    /// Ends the lab and takes `ready` back.
    ///
    /// # Errors
    /// [`LabError::Write`] where `ready` cannot be removed.
    pub async fn stop(mut self) -> Result<(), LabError> {
        self.running.shutdown().await;
        handover::withdraw(&self.out)
    }

    /// Lays the path from its end, since each role must know its next hop.
    async fn lay(out: &Path, pki: &Pki, now: i64) -> Result<Network, LabError> {
        let mut running = JoinSet::new();
        let mut public_roots = RootCertStore::empty();
        public_roots.add(CertificateDer::from(pki.public_root.certificate.clone()))?;

        let (listener, clean) = bind().await?;
        running.spawn(site::serve(listener, Sites::new(&pki.sites)?));

        let (listener, unlisted) = bind().await?;
        let interceptor = Interceptor {
            names: owned(Fate::UnlistedInterceptor),
            issuer: pki.unlisted.intermediate.clone(),
            seed: 2,
            public_roots: public_roots.clone(),
            route: Route { next: clean },
        };
        running.spawn(interceptor::serve(listener, interceptor));

        let (listener, listed) = bind().await?;
        let interceptor = Interceptor {
            names: owned(Fate::ListedInterceptor),
            issuer: pki.listed.intermediate.clone(),
            seed: 1,
            public_roots,
            route: Route { next: unlisted },
        };
        running.spawn(interceptor::serve(listener, interceptor));

        let (listener, censor) = bind().await?;
        let names = owned(Fate::Reset);
        running.spawn(censor::serve(listener, Censor { names, route: Route { next: listed } }));

        let (listener, national) = bind().await?;
        let antivirus = Antivirus {
            names: Some(owned(Fate::Product)),
            root: pki.product.clone(),
            key: pki.product_key.clone(),
            validity: pki::current(now),
            route: Route { next: censor },
        };
        running.spawn(antivirus::serve(listener, antivirus));

        let hops = vec![
            Hop { role: "antivirus", address: national, acts_on: Some(Fate::Product) },
            Hop { role: "censor", address: censor, acts_on: Some(Fate::Reset) },
            Hop {
                role: "listed interceptor",
                address: listed,
                acts_on: Some(Fate::ListedInterceptor),
            },
            Hop {
                role: "unlisted interceptor",
                address: unlisted,
                acts_on: Some(Fate::UnlistedInterceptor),
            },
            Hop { role: "sites", address: clean, acts_on: None },
        ];
        Ok(Network { clean, national, hops, out: out.to_owned(), running })
    }
}

async fn bind() -> Result<(TcpListener, SocketAddr), LabError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(LabError::Bind)?;
    let address = listener.local_addr().map_err(LabError::Bind)?;
    Ok((listener, address))
}

fn owned<C: FromIterator<String>>(fate: Fate) -> C {
    with_fate(fate).map(str::to_owned).collect()
}
