//! The address a submission came from, and every form in which a record may hold it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

use memchr::memmem::Finder;

/// Longest text of an IPv6 address: eight groups, the last two as an IPv4 address.
const LONGEST: usize = 45;

/// Where a submission came from. Lives in memory while a record is read; it is never printed.
///
/// Of an IPv6 address the first 64 bits count: a household has them to itself, and its machines
/// change the rest.
#[derive(Clone)]
pub struct Sender {
    address: IpAddr,
    texts: Vec<Finder<'static>>,
}

impl Sender {
    /// `None` for addresses that say nothing of anybody: loopback, unspecified.
    pub fn new(address: IpAddr) -> Option<Self> {
        let address = address.to_canonical();
        if address.is_loopback() || address.is_unspecified() {
            return None;
        }
        let texts = match address {
            IpAddr::V6(address) => {
                let network = address.octets().into_iter().take(8);
                let nibbles = network.rev();
                let nibbles = nibbles.flat_map(|octet| [octet & 15, octet >> 4]);
                let reverse: Vec<_> = nibbles.map(|nibble| format!("{nibble:x}")).collect();
                vec![Finder::new(&reverse.join(".")).into_owned()]
            }
            IpAddr::V4(address) => {
                let plain = address.to_string();
                let [a, b, c, d] = address.octets();
                // As a certificate's BMPString has it.
                let wide: Vec<u8> = plain.bytes().flat_map(|byte| [0, byte]).collect();
                vec![
                    Finder::new(&plain).into_owned(),
                    Finder::new(&plain.replace('.', "-")).into_owned(),
                    Finder::new(&format!("{d}.{c}.{b}.{a}.in-addr")).into_owned(),
                    Finder::new(&wide).into_owned(),
                ]
            }
        };
        Some(Self { address, texts })
    }

    /// Where a text holds the address.
    pub(super) fn texts_in(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = self.anywhere_in(text.as_bytes());
        found.retain(|range| !touches_digit(text.as_bytes(), range));
        found
    }

    /// Where bytes hold the address as text or as its octets. What stands beside it says nothing
    /// here: DER's SEQUENCE begins with the digit 0.
    pub(super) fn found_in(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = self.anywhere_in(bytes);
        found.extend(self.octets_in(bytes));
        found
    }

    fn anywhere_in(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for text in &self.texts {
            found.extend(text.find_iter(bytes).map(|at| at..at + text.needle().len()));
        }
        if let IpAddr::V6(address) = self.address {
            groups(bytes, address, &mut found);
        }
        found.sort_by_key(|range| range.start);
        found.dedup_by(|next, before| next.start < before.end);
        found
    }

    /// The octets after their number, as in a certificate's iPAddress and in a DNS answer (8: with a
    /// mask behind it). Of IPv6, anywhere.
    fn octets_in(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        match self.address {
            IpAddr::V4(address) => {
                for at in memchr::memmem::find_iter(bytes, &address.octets()) {
                    if at > 0 && [4, 8].contains(&bytes[at - 1]) {
                        found.push(at..at + 4);
                    }
                }
            }
            IpAddr::V6(address) => {
                for at in memchr::memmem::find_iter(bytes, &address.octets()[..8]) {
                    found.push(at..(at + 16).min(bytes.len()));
                }
            }
        }
        found
    }
}

/// `1.2.3.4` is not in `11.2.3.45`. Of IPv6 a range ends where the address does.
fn touches_digit(bytes: &[u8], range: &Range<usize>) -> bool {
    if bytes[range.clone()].contains(&b':') {
        return false;
    }
    let before = range.start.checked_sub(1).and_then(|at| bytes.get(at));
    before.into_iter().chain(bytes.get(range.end)).any(u8::is_ascii_digit)
}

/// Texts of addresses that share the first 64 bits of `address`, however they are abbreviated.
fn groups(bytes: &[u8], address: Ipv6Addr, found: &mut Vec<Range<usize>>) {
    let [first, ..] = address.segments();
    let mut from = 0;
    while let Some(colon) = memchr::memchr(b':', &bytes[from..]).map(|at| from + at) {
        from = colon + 1;
        // The first group is before the first colon.
        let digits =
            bytes[..colon].iter().rev().take(5).take_while(|byte| byte.is_ascii_hexdigit());
        let start = colon - digits.count();
        let group = str::from_utf8(&bytes[start..colon]).ok();
        if group.and_then(|group| u16::from_str_radix(group, 16).ok()) != Some(first) {
            continue;
        }
        let part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
        let length = bytes[start..].iter().take(LONGEST).take_while(|byte| part(byte)).count();
        let end = (start + 3..=start + length).rev().find(|&end| {
            let text = str::from_utf8(&bytes[start..end]).ok();
            let read: Option<Ipv6Addr> = text.and_then(|text| text.parse().ok());
            read.is_some_and(|read| read.segments()[..4] == address.segments()[..4])
        });
        if let Some(end) = end {
            found.push(start..end);
            from = from.max(end);
        }
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}
