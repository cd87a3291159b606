//! What is answered: acknowledgements, refusals and why.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kua::intake::{IntakeError, ReportId};
use serde_json::{Value, json};

use super::keeping::{Committed, KeepError};

/// The protocol a record came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// `POST /report/{id}`.
    Report,
    /// `POST /api/v1/submit_measurement`.
    Submit,
}

impl Via {
    /// As the archive's receipt says it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Submit => "submit_measurement",
        }
    }
}

/// What a client hears of a record that lasts. A record that came before gets the same answer; `word` is
/// the signed one for clients that sign.
pub(super) fn acknowledged(
    via: Via,
    committed: &Committed,
    report: Option<&ReportId>,
    word: Option<Value>,
) -> Value {
    let uid = &committed.receipt.uid;
    let mut value = match via {
        Via::Report => json!({"measurement_uid": uid}),
        Via::Submit => json!({
            "measurement_uid": uid,
            "report_id": report.map(ReportId::to_string),
            "verification_status": "unverified",
            "submit_response": null,
            "protocol_version": null,
            "error": null,
        }),
    };
    if let Some(word) = word {
        value["x_kua"] = word;
    }
    value
}

/// What a client hears of a record that states no origin and is not kept: as OONI's collector, no
/// name; the reason is an addition.
pub(super) fn dropped() -> Value {
    json!({"dropped": "the record states no country or no network"})
}

/// JSON, for this client and this moment only.
pub(super) fn json_response(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Why a request is not served.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("the body broke off")]
    Broken,
    #[error("too much at once; please come again")]
    Busy,
    #[error("content-encoding is neither gzip nor zstd")]
    Encoding,
    #[error("the archive cannot be written to; please come again")]
    Failed,
    #[error("the archive is full; please come again")]
    Full,
    #[error("not here: {0}")]
    NotHere(&'static str),
    #[error("the body cannot be used: {0}")]
    Packing(&'static str),
    #[error("the proxy does not say who asks")]
    Proxy,
    #[error("kua-key and kua-signature are no signature of this record")]
    Signature,
    #[error("the body came too slowly")]
    Slow,
    #[error("{0}")]
    Submission(#[from] IntakeError),
    #[error("longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("the body is not what is expected: {0}")]
    Question(String),
}

impl Refused {
    fn status(&self) -> StatusCode {
        match self {
            Self::Broken
            | Self::Packing(_)
            | Self::Signature
            | Self::Submission(_)
            | Self::Question(_) => StatusCode::BAD_REQUEST,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Failed => StatusCode::SERVICE_UNAVAILABLE,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
            Self::NotHere(_) => StatusCode::NOT_FOUND,
            Self::Proxy => StatusCode::BAD_GATEWAY,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }

    /// One word for counting.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Busy => "busy",
            Self::Encoding => "encoding",
            Self::Failed => "failed",
            Self::Full => "full",
            Self::NotHere(_) => "not_here",
            Self::Packing(_) => "packing",
            Self::Proxy => "proxy",
            Self::Signature => "signature",
            Self::Slow => "slow",
            Self::Submission(error) => error.kind(),
            Self::TooLong { .. } => "too_long",
            Self::Question(_) => "question",
        }
    }

    /// Seconds after which to come again.
    fn again(&self) -> Option<u32> {
        match self {
            Self::Busy => Some(5),
            Self::Failed => Some(30),
            Self::Full => Some(120),
            _ => None,
        }
    }
}

impl From<KeepError> for Refused {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Full { .. } => Self::Full,
            KeepError::Failed { .. } => Self::Failed,
            KeepError::NotARecord => Self::Question("bytes that JSON does not have".into()),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let value = json!({"detail": {"error": self.to_string()}});
        let mut response = json_response(self.status(), &value);
        if let Some(seconds) = self.again() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
