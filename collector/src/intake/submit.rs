//! A submission from its headers to its answer.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Extension, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kua::intake::{BOUNDS, Record, ReportId, Sender, content, examine, same_origin};
use kua::submission::is_signed_by;
use kua::tlog::{Hash, sha256};
use kua_archive::{Kept, Receipt};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::OwnedSemaphorePermit;

use super::body::{self, Held};
use super::client::{Peer, client};
use super::geo::compare;
use super::keeping::Committed;
use super::limits::Limits;
use super::reply::{Refused, Via, acknowledged, dropped, json_response};
use super::routes::Intake;
use super::seen::{Encoding, Seen, Signed};
use super::unpack::unpacked;

/// `POST /report/{id}`
pub(super) async fn to_report(
    State(intake): State<Arc<Intake>>,
    Extension(peer): Extension<Peer>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    answer(&intake, Via::Report, Some(&id), peer, request).await
}

/// `POST /api/v1/submit_measurement`
pub(super) async fn alone(
    State(intake): State<Arc<Intake>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    answer(&intake, Via::Submit, None, peer, request).await
}

async fn answer(
    intake: &Arc<Intake>,
    via: Via,
    report: Option<&str>,
    peer: Peer,
    request: Request,
) -> Response {
    let begun = Instant::now();
    let done = accept(intake, via, report, peer, request).await;
    let (result, response) = match done {
        Ok((result, value)) => (result, json_response(StatusCode::OK, &value)),
        Err(refused) => (refused.kind(), refused.into_response()),
    };
    intake.metrics.submitted(result, begun.elapsed());
    response
}

/// What became of it, in one word for counting, and what is answered.
async fn accept(
    intake: &Arc<Intake>,
    via: Via,
    report: Option<&str>,
    Peer(peer): Peer,
    request: Request,
) -> Result<(&'static str, Value), Refused> {
    let report = report.map(ReportId::parse).transpose()?;
    let (parts, body) = request.into_parts();
    let client = client(peer, &parts.headers, &intake.options.proxies)?;
    let _visit = intake.visit_by_proxy(client)?;
    let seen = Seen::of(&parts.headers)?;
    let limits = &intake.options.limits;
    let held = body::read(body, seen.length, limits, &intake.budget, &intake.metrics).await?;
    // The body is read all the same: clients do not expect an answer before they have asked.
    if report.as_ref().is_some_and(|report| !report.has_origin()) && intake.drops_unknown() {
        return Ok(("dropped", dropped()));
    }
    let sender = Sender::new(client);
    let Looked { record, room, submitted } = look(intake, held, &seen, sender).await?;
    if let Some(report) = &report {
        same_origin(report, &record.meta)?;
    }
    if !record.meta.has_origin() && intake.drops_unknown() {
        return Ok(("dropped", dropped()));
    }
    let report = match via {
        Via::Report => None,
        Via::Submit => Some(ReportId::of(&record)?),
    };
    let receipt = receipt(intake, via, &record, client, seen.signed);
    let committed: Committed = intake.desk.keep(record, receipt, room).await?;
    let result = match committed.kept {
        Kept::New => "kept",
        Kept::AlreadyThere => "already_there",
    };
    let ledger = intake.options.ledger.as_ref();
    let word = submitted.zip(ledger).map(|(submitted, ledger)| {
        json!({"key": ledger.key().to_string(), "receipt": ledger.receipt(submitted, &committed)})
    });
    Ok((result, acknowledged(via, &committed, report.as_ref(), word)))
}

fn receipt(
    intake: &Intake,
    via: Via,
    record: &Record,
    client: std::net::IpAddr,
    signed: Option<Signed>,
) -> Receipt {
    // A signature of what is not kept would help to find out what was taken out.
    let signed = signed.filter(|_| !record.scrubbed);
    let (key, sig) = signed.map(|signed| (signed.key, signed.signature)).unzip();
    let now = OffsetDateTime::now_utc();
    let location = intake.options.geo.locate(client);
    Receipt {
        t: Some(now.replace_nanosecond(0).unwrap_or(now)),
        uid: Some(record.uid()),
        via: Some(via.name().into()),
        network: Some(compare(&location, &record.meta)),
        scrubbed: record.scrubbed,
        key,
        sig,
    }
}

/// A record that may be kept.
struct Looked {
    record: Record,
    /// The memory that it takes.
    room: Option<OwnedSemaphorePermit>,
    /// SHA-256 of the record as it was sent, where it is signed. It is told to the sender alone.
    submitted: Option<Hash>,
}

/// Unpacks and checks: here where that is quick, else on a thread of its own, few at once.
async fn look(
    intake: &Arc<Intake>,
    held: Held,
    seen: &Seen,
    sender: Option<Sender>,
) -> Result<Looked, Refused> {
    let encoding = seen.encoding;
    let small = match encoding {
        Encoding::Plain => Limits::SMALL,
        Encoding::Gzip | Encoding::Zstd => Limits::SMALL_PACKED,
    };
    if held.bytes.len() <= small {
        return look_now(intake, held, seen, sender.as_ref());
    }
    let turn = Arc::clone(&intake.large).acquire_owned().await.map_err(|_| Refused::Failed)?;
    let (intake, seen) = (Arc::clone(intake), seen.clone());
    let looking = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        look_now(&intake, held, &seen, sender.as_ref())
    });
    looking.await.map_err(|_| Refused::Failed)?
}

fn look_now(
    intake: &Intake,
    held: Held,
    seen: &Seen,
    sender: Option<&Sender>,
) -> Result<Looked, Refused> {
    let unpacked = unpacked(held, seen.encoding, intake.options.limits.unpacked, &intake.budget)?;
    let content = content(&unpacked.bytes, &BOUNDS)?;
    let submitted = seen.signed.as_ref().map(|signed| (signed, sha256(&content)));
    let forged =
        |(signed, hash): &(&Signed, _)| !is_signed_by(&signed.key, &signed.signature, hash);
    if submitted.as_ref().is_some_and(forged) {
        return Err(Refused::Signature);
    }
    let submitted = submitted.map(|(_, hash)| hash);
    let record = examine(&content, sender, &BOUNDS)?;
    drop(content);
    Ok(Looked { record, room: unpacked.into_permit(), submitted })
}
