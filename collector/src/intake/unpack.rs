//! A packed body, unpacked within bounds.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::body::{Budget, Held};
use super::reply::Refused;
use super::seen::Encoding;

/// Most bytes that one packed byte may become, once [`FREE`] bytes were unpacked.
const MAX_RATIO: usize = 200;

/// Below this many unpacked bytes no ratio is too high.
const FREE: usize = 1 << 20;

/// zstd's window: 8 MiB, the most that RFC 8878 wants every reader to have.
const WINDOW_LOG: u32 = 23;

const STEP: usize = 64 << 10;

/// The unpacked body; what it takes in memory is taken from the budget as it grows.
pub(super) fn unpacked(
    packed: Held,
    encoding: Encoding,
    limit: usize,
    budget: &Budget,
) -> Result<Held, Refused> {
    let broken = |_| Refused::Packing("it cannot be unpacked");
    match encoding {
        Encoding::Plain => Ok(packed),
        Encoding::Gzip => {
            let source = packed.bytes.as_slice();
            read(MultiGzDecoder::new(source), source.len(), limit, budget)
        }
        Encoding::Zstd => {
            let source = packed.bytes.as_slice();
            let mut decoder = zstd::Decoder::with_buffer(source).map_err(broken)?;
            decoder.window_log_max(WINDOW_LOG).map_err(broken)?;
            read(decoder, source.len(), limit, budget)
        }
    }
}

fn read(
    mut from: impl Read,
    packed: usize,
    limit: usize,
    budget: &Budget,
) -> Result<Held, Refused> {
    let mut held = budget.nothing();
    let mut step = vec![0; STEP];
    loop {
        let length = from.read(&mut step).map_err(|_| Refused::Packing("it cannot be unpacked"))?;
        if length == 0 {
            return Ok(held);
        }
        let total = held.bytes.len() + length;
        if total > limit {
            return Err(Refused::TooLong { limit });
        }
        if total > FREE && total / MAX_RATIO > packed {
            return Err(Refused::Packing("it unpacks to more than 200 times its size"));
        }
        budget.add(&mut held, &step[..length])?;
    }
}
