//! Where a box sends what it does not keep.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use crate::bounds;
use crate::error::LabError;

/// The fixed next hop of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Whoever listens there: the next box, or the sites.
    pub next: SocketAddr,
}

impl Route {
    pub(crate) async fn connect(self) -> Result<TcpStream, LabError> {
        let stream = bounds::within("connect to the next hop", async {
            TcpStream::connect(self.next)
                .await
                .map_err(|source| LabError::Connect { address: self.next, source })
        })
        .await?;
        // Small records go out at once; a box without it still works.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }
}
