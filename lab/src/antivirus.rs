//! A product on the visitor's own machine that opens TLS on purpose.

use std::collections::HashSet;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use kua_mint::{Authority, Key, Template};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::bounds;
use crate::error::LabError;
use crate::hello;
use crate::identity::Identity;
use crate::route::Route;
use crate::splice;
use crate::upstream;

/// What the product opens, and with which root.
#[derive(Clone, Debug)]
pub struct Antivirus {
    /// The names it opens, in lower case; every name where absent.
    pub names: Option<HashSet<String>>,
    /// The root that the product put into the machine's store; it is sent after the leaf.
    pub root: Authority,
    /// The one key of all leaves.
    pub key: Key,
    /// Both ends of the leaves' validity, in seconds since 1970 UTC.
    pub validity: (i64, i64),
    /// The next hop.
    pub route: Route,
}

/// Runs the product until dropped: leaves are made from the SNI alone, whatever the origin presents.
pub async fn serve(listener: TcpListener, antivirus: Antivirus) {
    let antivirus = Arc::new(antivirus);
    bounds::each_connection(listener, |visitor| meet(visitor, Arc::clone(&antivirus))).await;
}

async fn meet(mut visitor: TcpStream, antivirus: Arc<Antivirus>) -> Result<(), LabError> {
    let hello = hello::read(&mut visitor).await?;
    let Some(name) = hello.name.as_ref().filter(|name| antivirus.opens(name)) else {
        return splice::forward(visitor, &hello.bytes, antivirus.route).await;
    };
    let origin = upstream::open(antivirus.route, name, &hello.alpn).await?;
    let protocol: Vec<&[u8]> = origin.alpn.iter().map(Vec::as_slice).collect();
    let acceptor = TlsAcceptor::from(antivirus.identity(name).server(&protocol)?);
    let opened = bounds::within("shake hands with the visitor", async {
        acceptor.accept(hello::rewound(visitor, hello.bytes)).await.map_err(LabError::Handshake)
    })
    .await?;
    splice::relay(opened, origin.stream).await.map_err(LabError::Splice)
}

impl Antivirus {
    fn opens(&self, name: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.contains(name))
    }

    /// Leaf and root for `name`. The serial number follows from the name, so that under an RSA root,
    /// whose signatures do too, visitors who come back meet the same leaf.
    fn identity(&self, name: &str) -> Identity {
        let mut serial = digest(&SHA256, name.as_bytes()).as_ref()[..16].to_vec();
        serial[0] = serial[0] & 0x3f | 0x40;
        let (from, until) = self.validity;
        let template = Template::leaf(&[name]).serial(&serial).valid(from, until);
        let leaf = self.root.leaf_with(&self.key, template);
        Identity { chain: vec![leaf.certificate, self.root.certificate.clone()], key: leaf.key }
    }
}
