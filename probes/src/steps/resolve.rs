//! Asks a resolver for the addresses of a name, one family a query.

use std::net::IpAddr;

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{RData, RecordType};
use kua::measurement::{Failure, Query, codes};
use tokio::time::timeout;

use super::{Stopwatch, failure};
use crate::family::Family;
use crate::resolver::Resolver;

/// Asks for the addresses of `host`, an ASCII host name, in the order of the answer and without
/// duplicates. There are addresses exactly when the step did not fail.
pub async fn resolve(
    host: &str,
    family: Family,
    resolver: &Resolver,
    watch: Stopwatch,
) -> (Query, Vec<IpAddr>) {
    let t0 = watch.seconds();
    let asked = timeout(watch.limit(), ask(host, family, resolver)).await;
    let answer = asked.unwrap_or_else(|_| Err(Failure::new(codes::GENERIC_TIMEOUT)));
    let (addresses, failure) = match answer {
        Ok(addresses) => (addresses, None),
        Err(failure) => (Vec::new(), Some(failure)),
    };
    let query = Query {
        hostname: host.into(),
        kind: record(family).to_string(),
        engine: resolver.server().engine().into(),
        resolver: resolver.server().address(),
        addresses: addresses.iter().map(IpAddr::to_string).collect(),
        failure,
        span: watch.span(t0),
    };
    (query, addresses)
}

async fn ask(host: &str, family: Family, resolver: &Resolver) -> Result<Vec<IpAddr>, Failure> {
    let client = resolver.client().map_err(failure::unknown)?;
    // The final dot keeps the machine's search domains out of it.
    let answer = client.lookup(format!("{host}."), record(family)).await;
    let answer = answer.map_err(|error| of_resolver(&error))?;
    let mut addresses: Vec<IpAddr> = Vec::new();
    for record in answer.answers() {
        let address = match &record.data {
            RData::A(address) => IpAddr::V4(address.0),
            RData::AAAA(address) => IpAddr::V6(address.0),
            _ => continue,
        };
        if Family::of(address) == family && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(Failure::new(codes::DNS_NO_ANSWER)) } else { Ok(addresses) }
}

/// The record that holds addresses of `family`.
fn record(family: Family) -> RecordType {
    match family {
        Family::V4 => RecordType::A,
        Family::V6 => RecordType::AAAA,
    }
}

fn of_resolver(error: &NetError) -> Failure {
    Failure::new(match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => of_response(none.response_code),
        NetError::Dns(DnsError::ResponseCode(code)) => of_response(*code),
        NetError::Io(error) => return failure::of_socket(error),
        NetError::Timeout => codes::GENERIC_TIMEOUT,
        other => return failure::unknown(other),
    })
}

fn of_response(code: ResponseCode) -> &'static str {
    match code {
        ResponseCode::NoError => codes::DNS_NO_ANSWER,
        ResponseCode::NXDomain => codes::DNS_NXDOMAIN,
        ResponseCode::Refused => codes::DNS_REFUSED,
        ResponseCode::ServFail => codes::DNS_SERVFAIL,
        _ => codes::DNS_SERVER_MISBEHAVING,
    }
}

#[cfg(test)]
mod tests;
