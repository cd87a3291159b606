//! What clients ask besides handing in records: OONI's, before they measure; operators', always.

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::rand;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kua::intake::ReportId;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::body;
use super::client::{Peer, client};
use super::limits::Limits;
use super::reply::{Refused, json_response};
use super::routes::Intake;
use super::seen::{Encoding, Seen};

/// Longest body of a question.
const MAX_QUESTION: usize = 64 << 10;

/// Most addresses of one look-up.
const MAX_ADDRESSES: usize = 100;

fn ok(value: &Value) -> Response {
    json_response(StatusCode::OK, value)
}

async fn question<T: DeserializeOwned>(intake: &Intake, request: Request) -> Result<T, Refused> {
    let seen = Seen::of(request.headers())?;
    if seen.encoding != Encoding::Plain {
        return Err(Refused::Encoding);
    }
    let limits = Limits { body: MAX_QUESTION, ..intake.options.limits };
    let body = request.into_body();
    let held = body::read(body, seen.length, &limits, &intake.budget, &intake.metrics).await?;
    serde_json::from_slice(&held.bytes).map_err(|error| Refused::Question(error.to_string()))
}

/// `POST /report`: nothing is remembered; the name of the report says all.
pub(super) async fn open_report(
    State(intake): State<Arc<Intake>>,
    request: Request,
) -> Result<Response, Refused> {
    #[derive(Deserialize)]
    struct Open {
        #[serde(default)]
        probe_asn: String,
        #[serde(default)]
        probe_cc: String,
        test_name: String,
    }
    let open: Open = question(&intake, request).await?;
    let mut unique = [0; 12];
    rand::fill(&mut unique).map_err(|_| Refused::Failed)?;
    let now = OffsetDateTime::now_utc();
    let id = ReportId::new(now, &open.test_name, &open.probe_cc, &open.probe_asn, &unique)?;
    Ok(ok(&json!({
        "backend_version": concat!("kua ", env!("CARGO_PKG_VERSION")),
        "report_id": id.to_string(),
        "supported_formats": ["json"],
    })))
}

/// `POST /report/{id}/close`
pub(super) async fn close_report() -> Response {
    ok(&json!({}))
}

/// `GET /api/v1/test-helpers`: none; OONI's client asks for an object.
pub(super) async fn test_helpers() -> Response {
    ok(&json!({}))
}

/// `GET /api/v1/manifest`: none, and so clients submit without OONI's credentials.
pub(super) async fn manifest() -> Response {
    Refused::NotHere("this collector issues no credentials").into_response()
}

/// `POST /api/v1/register`, `POST /api/v1/login`
pub(super) async fn accounts() -> Response {
    Refused::NotHere("this collector has no accounts; records need none").into_response()
}

/// `GET /api/v1/collectors`: this one.
pub(super) async fn collectors() -> Response {
    ok(&json!([]))
}

/// `GET /api/v1/test-list/urls`: what to measure is for the client to choose.
pub(super) async fn urls() -> Response {
    let metadata = json!({"count": 0, "current_page": -1, "limit": -1, "next_url": "", "pages": 1});
    ok(&json!({"metadata": metadata, "results": []}))
}

/// `POST /bouncer/net-tests`: clients of before 2020 ask where to submit; where they asked.
pub(super) async fn bouncer(
    State(intake): State<Arc<Intake>>,
    request: Request,
) -> Result<Response, Refused> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.unwrap_or_default().to_owned();
    let asked: Value = question(&intake, request).await?;
    let tests = asked["net-tests"].as_array().into_iter().flatten();
    let tests = tests.map(|test| {
        json!({
            "collector": format!("https://{host}"),
            "input-hashes": null,
            "name": test["name"],
            "test-helpers": {},
            "version": test["version"],
        })
    });
    Ok(ok(&json!({"net-tests": tests.collect::<Vec<_>>()})))
}

/// `POST /api/v1/check-in`: where the client seems to be, and nothing to do.
pub(super) async fn check_in(
    State(intake): State<Arc<Intake>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
) -> Result<Response, Refused> {
    let client = client(peer, request.headers(), &intake.options.proxies)?;
    let _: Value = question(&intake, request).await?;
    let location = intake.options.geo.locate(client);
    let now = OffsetDateTime::now_utc();
    let now = now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default();
    Ok(ok(&json!({
        "v": 1,
        "probe_cc": location.country.unwrap_or_else(|| "ZZ".into()),
        "probe_asn": format!("AS{}", location.asn.unwrap_or(0)),
        "probe_network_name": location.network.unwrap_or_default(),
        "utc_time": now,
        "conf": {"features": {}, "test_helpers": {}},
        "tests": {},
    })))
}

/// `POST /api/v1/geolookup`
pub(super) async fn geolookup(
    State(intake): State<Arc<Intake>>,
    request: Request,
) -> Result<Response, Refused> {
    #[derive(Deserialize)]
    struct Asked {
        addresses: Vec<IpAddr>,
    }
    let asked: Asked = question(&intake, request).await?;
    if asked.addresses.len() > MAX_ADDRESSES {
        return Err(Refused::Question(format!("more than {MAX_ADDRESSES} addresses")));
    }
    let located = asked.addresses.into_iter().map(|address| {
        let location = intake.options.geo.locate(address);
        let value = json!({
            "cc": location.country.unwrap_or_else(|| "ZZ".into()),
            "asn": location.asn.unwrap_or(0),
            "as_name": location.network.unwrap_or_default(),
        });
        (address.to_string(), value)
    });
    Ok(ok(&json!({"v": 1, "geolocation": located.collect::<Map<_, _>>()})))
}

/// `GET /log/...`: the transparency log, as docs/spec/log.md says.
pub(super) async fn log(
    State(intake): State<Arc<Intake>>,
    Path(path): Path<String>,
) -> Result<Response, Refused> {
    let absent = Refused::NotHere("the log has no such file");
    let Some(ledger) = intake.options.ledger.clone() else { return Err(absent) };
    let changes = path == "checkpoint" || path.starts_with("proof/");
    let read = tokio::task::spawn_blocking(move || ledger.file(&path)).await;
    let found = read.map_err(|_| Refused::Failed)?.map_err(|_| Refused::Failed)?;
    let (kind, bytes) = found.ok_or(absent)?;
    let mut response = Response::new(bytes.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let age = if changes { "no-store" } else { "public, max-age=86400" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(age));
    Ok(response)
}

/// `GET /health`: the program is alive.
pub(super) async fn health() -> Response {
    ok(&json!({"alive": true}))
}

/// `GET /ready`: a record would be kept now.
pub(super) async fn ready(State(intake): State<Arc<Intake>>) -> Response {
    let ready = intake.desk.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json_response(status, &json!({"ready": ready}))
}

/// `GET /metrics`
pub(super) async fn metrics(State(intake): State<Arc<Intake>>) -> Response {
    let taken = intake.options.limits.in_memory.saturating_sub(intake.budget.free());
    let mut text = intake.metrics.text(taken);
    if let Some(ledger) = &intake.options.ledger {
        text.push_str(&ledger.metrics());
    }
    let mut response = Response::new(text.into());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// `GET /openapi.json`
pub(super) async fn openapi() -> Response {
    let mut response = Response::new(super::OPENAPI.into());
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
