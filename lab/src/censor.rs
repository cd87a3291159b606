//! A censor: cuts the connection when it reads a name on its list.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};

use crate::bounds;
use crate::error::LabError;
use crate::hello;
use crate::route::Route;
use crate::splice;

/// What the censor cuts, and where the rest goes.
#[derive(Clone, Debug)]
pub struct Censor {
    /// Names in lower case; a name covers only itself.
    pub names: HashSet<String>,
    /// The next hop.
    pub route: Route,
}

/// Runs the censor until dropped: a RST for listed names, everything else untouched.
pub async fn serve(listener: TcpListener, censor: Censor) {
    let censor = Arc::new(censor);
    bounds::each_connection(listener, |visitor| meet(visitor, Arc::clone(&censor))).await;
}

async fn meet(mut visitor: TcpStream, censor: Arc<Censor>) -> Result<(), LabError> {
    let hello = hello::read(&mut visitor).await?;
    if hello.name.is_some_and(|name| censor.names.contains(&name)) {
        splice::reset(visitor);
        return Ok(());
    }
    splice::forward(visitor, &hello.bytes, censor.route).await
}
