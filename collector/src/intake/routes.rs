//! What is served, and by whom.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use tokio::sync::Semaphore;

use super::body::Budget;
use super::client::{Visit, Visitors};
use super::desk::Desk;
use super::metrics::Metrics;
use super::reply::Refused;
use super::{Options, ask, submit};

/// All that requests share.
pub(super) struct Intake {
    pub(super) options: Options,
    pub(super) desk: Desk,
    pub(super) budget: Budget,
    pub(super) metrics: Arc<Metrics>,
    pub(super) visitors: Visitors,
    /// Turns of those whose body is large.
    pub(super) large: Arc<Semaphore>,
}

impl Intake {
    pub(super) fn drops_unknown(&self) -> bool {
        !self.options.unknown_origin
    }

    /// Behind a proxy requests are counted, because connections are the proxy's.
    pub(super) fn visit_by_proxy(&self, client: IpAddr) -> Result<Option<Visit>, Refused> {
        if self.options.proxies.is_empty() {
            return Ok(None);
        }
        self.visitors.enter(client).map(Some).ok_or(Refused::Busy)
    }
}

/// Every path and what answers it; `openapi.json` describes the same.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<Arc<Intake>>)> {
    vec![
        ("/report", post(ask::open_report)),
        ("/report/{id}", post(submit::to_report)),
        ("/report/{id}/close", post(ask::close_report)),
        ("/api/v1/submit_measurement", post(submit::alone)),
        ("/api/v1/test-helpers", get(ask::test_helpers)),
        ("/api/v1/check-in", post(ask::check_in)),
        ("/api/v1/manifest", get(ask::manifest)),
        ("/api/v1/geolookup", post(ask::geolookup)),
        ("/api/v1/collectors", get(ask::collectors)),
        ("/api/v1/test-list/urls", get(ask::urls)),
        ("/bouncer/net-tests", post(ask::bouncer)),
        ("/api/v1/register", post(ask::accounts)),
        ("/api/v1/login", post(ask::accounts)),
        ("/log/{*path}", get(ask::log)),
        ("/health", get(ask::health)),
        ("/ready", get(ask::ready)),
        ("/metrics", get(ask::metrics)),
        ("/openapi.json", get(ask::openapi)),
    ]
}

pub(super) fn router(intake: &Arc<Intake>) -> Router {
    let router = Router::new();
    let router = routes()
        .into_iter()
        .fold(router, |router, (path, method)| router.route(path, method.fallback(other_method)));
    router.fallback(nothing).with_state(Arc::clone(intake))
}

async fn nothing() -> Response {
    Refused::NotHere("this collector has no such path").into_response()
}

async fn other_method() -> Response {
    let mut response = Refused::NotHere("another method is used with this path").into_response();
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}
