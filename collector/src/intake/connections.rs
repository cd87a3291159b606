//! Connections: accepted within bounds, served, and let finish at the end.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time;
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use super::body::Budget;
use super::client::{Peer, Visitors};
use super::desk::{Desk, OnCommit};
use super::keeping::Keep;
use super::limits::Limits;
use super::metrics::Metrics;
use super::routes::{Intake, router};
use super::tidy::{self, Settle};
use super::{Certificate, IntakeError, Options};

/// How much of a request is read ahead.
const BUFFER: usize = 32 << 10;

/// How long a connection of full age may take to finish its request.
const FAREWELL: Duration = Duration::from_secs(60);

/// Where and how an intake is served.
pub struct Serving {
    /// Where it listens.
    pub listener: TcpListener,
    /// Without one it speaks plain HTTP: on loopback, or behind a proxy.
    pub certificate: Option<Certificate>,
    /// How it is set up.
    pub options: Options,
    /// Told after each commit, on the writer's thread, before anybody is answered.
    pub on_commit: OnCommit,
    /// Settles what lasts, beside the writer.
    pub settle: Option<Settle>,
}

/// Serves until `end` comes, then lets requests finish. On return, whatever was acknowledged lasts.
///
/// # Errors
/// [`IntakeError`] where it could not begin.
pub async fn serve<K: Keep>(
    serving: Serving,
    keeper: K,
    end: impl Future<Output = ()>,
) -> Result<(), IntakeError> {
    let Serving { listener, certificate, options, on_commit, settle } = serving;
    let tls = certificate.as_ref().map(Certificate::acceptor).transpose()?;
    let limits = options.limits;
    let metrics = Arc::new(Metrics::default());
    let (desk, writer) = Desk::start(keeper, limits, &metrics, on_commit)
        .map_err(IntakeError::io("start the writer's thread"))?;
    if let Some(settle) = settle {
        tidy::start(settle, limits, desk.health())
            .map_err(IntakeError::io("start the settler's thread"))?;
    }
    let intake = Arc::new(Intake {
        desk,
        budget: Budget::new(limits.in_memory),
        metrics,
        visitors: Visitors::new(limits.per_client),
        large: Arc::new(Semaphore::new(limits.large_at_once)),
        options,
    });
    let (ending, ended) = watch::channel(false);
    let mut open = JoinSet::new();
    let door = Door { router: router(&intake), tls, ended, intake: Arc::clone(&intake) };
    {
        let mut end = pin!(end);
        loop {
            tokio::select! {
                () = &mut end => break,
                accepted = listener.accept(), if open.len() < limits.connections => {
                    match accepted {
                        Ok((stream, address)) => door.meet(&mut open, stream, address.ip()),
                        // Out of descriptors, most likely: some come back as connections end.
                        Err(_) => time::sleep(Duration::from_millis(100)).await,
                    }
                }
                Some(_) = open.join_next() => {}
            }
        }
    }
    drop(listener);
    let _ = ending.send(true);
    let finish = async { while open.join_next().await.is_some() {} };
    let _ = time::timeout(limits.drain, finish).await;
    open.shutdown().await;
    intake.desk.close();
    let joined = tokio::task::spawn_blocking(move || writer.join()).await;
    match joined {
        Ok(Ok(())) => Ok(()),
        _ => Err(IntakeError::Writer),
    }
}

/// What every connection needs.
struct Door {
    router: Router,
    tls: Option<TlsAcceptor>,
    ended: watch::Receiver<bool>,
    intake: Arc<Intake>,
}

impl Door {
    fn meet(&self, open: &mut JoinSet<()>, stream: TcpStream, peer: IpAddr) {
        let metrics = Arc::clone(&self.intake.metrics);
        metrics.accepted.fetch_add(1, Relaxed);
        let peer = peer.to_canonical();
        let by_proxy = self.intake.options.proxies.contains(&peer);
        let visit = if by_proxy { None } else { self.intake.visitors.enter(peer) };
        if visit.is_none() && !by_proxy {
            metrics.crowded.fetch_add(1, Relaxed);
            return;
        }
        // Answers go out at once; a connection without it still works.
        let _ = stream.set_nodelay(true);
        let (tls, router, ended) = (self.tls.clone(), self.router.clone(), self.ended.clone());
        let limits = self.intake.options.limits;
        open.spawn(async move {
            let _visit = visit;
            metrics.connections.fetch_add(1, Relaxed);
            let _gone = Gone(Arc::clone(&metrics));
            match tls {
                None => talk(stream, peer, router, ended, &limits).await,
                Some(tls) => {
                    let shaken = time::timeout(limits.handshake, tls.accept(stream)).await;
                    if let Ok(Ok(stream)) = shaken {
                        talk(stream, peer, router, ended, &limits).await;
                    }
                }
            }
        });
    }
}

/// Counts a connection that ends, however it does.
struct Gone(Arc<Metrics>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Relaxed);
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    peer: IpAddr,
    router: Router,
    mut ended: watch::Receiver<bool>,
    limits: &Limits,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let mut router = router.clone();
        async move {
            Ok::<_, Infallible>(router.call(request).await.unwrap_or_else(|never| match never {}))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers_within)
        .max_headers(limits.headers)
        .max_header_size(limits.header_bytes)
        .max_buf_size(BUFFER)
        .half_close(false)
        .pipeline_flush(false)
        .keep_alive(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let over = async {
        tokio::select! {
            () = time::sleep(limits.age) => {}
            _ = ended.wait_for(|ended| *ended) => {}
        }
    };
    // How a connection ends is its client's concern: who got no answer comes again.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = over => connection.as_mut().graceful_shutdown(),
    }
    let _ = time::timeout(FAREWELL, connection).await;
}
