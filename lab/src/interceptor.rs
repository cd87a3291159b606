//! The state's box: opens listed names with forged leaves, passes the rest on untouched.

use std::collections::HashMap;
use std::sync::Arc;

use kua_mint::{Authority, Key};
use rustls::RootCertStore;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OnceCell;
use tokio::task;
use tokio_rustls::TlsAcceptor;

use crate::bounds;
use crate::error::LabError;
use crate::forge;
use crate::hello::{self, Hello};
use crate::identity::Identity;
use crate::route::Route;
use crate::splice;
use crate::upstream::{self, Upstream};

/// What the box opens, and how it forges.
#[derive(Clone, Debug)]
pub struct Interceptor {
    /// Names in lower case; a name covers only itself.
    pub names: Vec<String>,
    /// The intermediate that signs forged leaves and is sent with them; its root is not.
    pub issuer: Authority,
    /// What the forged serial numbers depend on.
    pub seed: u64,
    /// The origin's chain must lead to one of these, or the box leaves the connection alone.
    pub public_roots: RootCertStore,
    /// The next hop.
    pub route: Route,
}

/// Runs the box until dropped.
///
/// A listed name is opened only where the origin presents a chain that a public root vouches for
/// at this time, for whatever name; Kazakhstan's box of 2019 asked the same. The bytes inside are
/// relayed between the two TLS connections unchanged.
pub async fn serve(listener: TcpListener, interceptor: Interceptor) {
    let keys = interceptor.names.iter().map(|name| (name.clone(), OnceCell::new())).collect();
    let device = Arc::new(Device { interceptor, keys });
    bounds::each_connection(listener, |visitor| meet(visitor, Arc::clone(&device))).await;
}

struct Device {
    interceptor: Interceptor,
    /// One key for each listed name, made when it is first asked for.
    keys: HashMap<String, OnceCell<Key>>,
}

async fn meet(mut visitor: TcpStream, device: Arc<Device>) -> Result<(), LabError> {
    let hello = hello::read(&mut visitor).await?;
    let Some((identity, origin)) = device.imitate(&hello).await else {
        return splice::forward(visitor, &hello.bytes, device.interceptor.route).await;
    };
    let protocol: Vec<&[u8]> = origin.alpn.iter().map(Vec::as_slice).collect();
    let acceptor = TlsAcceptor::from(identity.server(&protocol)?);
    let opened = bounds::within("shake hands with the visitor", async {
        acceptor.accept(hello::rewound(visitor, hello.bytes)).await.map_err(LabError::Handshake)
    })
    .await?;
    splice::relay(opened, origin.stream).await.map_err(LabError::Splice)
}

impl Device {
    /// The forged identity for this visitor with the connection to the origin, or `None` where the
    /// box leaves the visitor alone: another name, or an origin that it cannot or will not imitate.
    async fn imitate(&self, hello: &Hello) -> Option<(Identity, Upstream)> {
        let name = hello.name.as_ref()?;
        let key = self.keys.get(name)?;
        let origin = upstream::open(self.interceptor.route, name, &hello.alpn).await.ok()?;
        if !upstream::vouched(&self.interceptor.public_roots, &origin.chain) {
            return None;
        }
        let template = forge::forge(origin.chain.first()?, self.interceptor.seed, name).ok()?;
        let key = key.get_or_try_init(forged_key).await.ok()?;
        let issuer = &self.interceptor.issuer;
        let leaf = issuer.sign(&key.spki(), &template);
        let chain = vec![leaf, issuer.certificate.clone()];
        Some((Identity { chain, key: key.clone() }, origin))
    }
}

async fn forged_key() -> Result<Key, LabError> {
    task::spawn_blocking(|| Key::rsa_with_exponent(forge::BITS, forge::EXPONENT))
        .await
        .map_err(LabError::Keys)
}
