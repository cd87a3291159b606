//! Intermediates of an interceptor: when each was valid, and when it was used.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::row::{Day, Row, least};
use crate::chain::{Fingerprint, KeyHash};
use crate::verdict::Judgement;

/// An intermediate as one handshake showed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Used {
    pub(super) sha1: String,
    pub(super) serial: String,
    /// In seconds since 1970.
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    /// Key that signed its way up; `None` where no key is known.
    pub(super) anchor: Option<KeyHash>,
    pub(super) authority_key_id: Option<String>,
    /// It was used outside its validity.
    pub(super) outside: bool,
}

/// One intermediate and its use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Intermediate {
    pub(super) sha1: String,
    pub(super) serial: String,
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    pub(super) anchor: Option<KeyHash>,
    pub(super) authority_key_id: Option<String>,
    pub(super) first_seen: Option<i64>,
    pub(super) last_seen: Option<i64>,
    pub(super) handshakes: u64,
    pub(super) used_outside_validity: u64,
}

/// How intermediates were used on one day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct DayUse {
    pub(super) inside: u64,
    pub(super) outside: u64,
    pub(super) first_outside: Option<i64>,
    pub(super) last_outside: Option<i64>,
}

/// The authorities between the leaf and its root that were sent and have a part in the path, in
/// the order of the path.
pub(super) fn of(judgement: &Judgement) -> Vec<(Fingerprint, Used)> {
    let (Some(chain), Some(path)) = (&judgement.chain, &judgement.path) else {
        return Vec::new();
    };
    let certificates = chain.certificates();
    let authorities = path.links.iter().filter_map(|link| {
        let fields = certificates[*link].fields()?;
        // The first link is a leaf, unless the record kept one authority only.
        (fields.is_ca && !fields.self_issued()).then_some((&certificates[*link], fields))
    });
    authorities
        .map(|(certificate, fields)| {
            let used = Used {
                sha1: certificate.sha1(),
                serial: decimal(&fields.serial),
                not_before: fields.not_before.unix_timestamp(),
                not_after: fields.not_after.unix_timestamp(),
                anchor: judgement.signing_key.as_ref().map(|key| key.key_hash),
                authority_key_id: fields.aki.as_ref().map(|aki| HEXLOWER.encode(aki)),
                outside: judgement.started.is_some_and(|at| !fields.valid_at(at)),
            };
            (certificate.fingerprint(), used)
        })
        .collect()
}

impl Intermediate {
    pub(super) fn of(used: &Used) -> Self {
        Self {
            sha1: used.sha1.clone(),
            serial: used.serial.clone(),
            not_before: used.not_before,
            not_after: used.not_after,
            anchor: used.anchor,
            authority_key_id: used.authority_key_id.clone(),
            first_seen: None,
            last_seen: None,
            handshakes: 0,
            used_outside_validity: 0,
        }
    }

    pub(super) fn observe(&mut self, used: &Used, row: &Row) {
        self.anchor = self.anchor.max(used.anchor);
        self.first_seen = least(self.first_seen, row.first);
        self.last_seen = self.last_seen.max(row.last);
        self.handshakes += row.judgements;
        self.used_outside_validity += if used.outside { row.judgements } else { 0 };
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.anchor = self.anchor.max(other.anchor);
        self.first_seen = least(self.first_seen, other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        self.handshakes += other.handshakes;
        self.used_outside_validity += other.used_outside_validity;
    }
}

impl DayUse {
    pub(super) fn observe(&mut self, day: &Day, outside: bool) {
        if outside {
            self.outside += day.judgements;
            self.first_outside = least(self.first_outside, Some(day.first));
            self.last_outside = self.last_outside.max(Some(day.last));
        } else {
            self.inside += day.judgements;
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.inside += other.inside;
        self.outside += other.outside;
        self.first_outside = least(self.first_outside, other.first_outside);
        self.last_outside = self.last_outside.max(other.last_outside);
    }
}

/// An INTEGER's content (two's complement, big-endian) in decimal digits.
pub fn decimal(content: &[u8]) -> String {
    let negative = content.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut magnitude = content.to_vec();
    if negative {
        for byte in &mut magnitude {
            *byte = !*byte;
        }
        for byte in magnitude.iter_mut().rev() {
            let (sum, carry) = byte.overflowing_add(1);
            *byte = sum;
            if !carry {
                break;
            }
        }
    }
    let mut digits: Vec<u8> = vec![0];
    for byte in magnitude {
        let mut carry = u32::from(byte);
        for digit in &mut digits {
            let value = u32::from(*digit) * 256 + carry;
            *digit = (value % 10) as u8;
            carry = value / 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    let text: String = digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect();
    if negative { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn serials_in_decimal() {
        for (content, text) in [
            (&[][..], "0"),
            (&[0], "0"),
            (&[0x10, 0x00], "4096"),
            (&[0x00, 0xff], "255"),
            (&[0xff], "-1"),
            (&[0x80], "-128"),
            (&[0x23, 0x09, 0x49, 0x8e, 0x29, 0x7c, 0x5f, 0xfe], "2524629941048074238"),
        ] {
            assert_eq!(decimal(content), text, "{content:02x?}");
        }
    }
}
