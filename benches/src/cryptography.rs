//! What one handshake of the probe spends in cryptography: the same operations by the same
//! provider, each timed in a loop, by the median so that other programs' turns do not count.

use std::hint::black_box;
use std::time::{Duration, Instant};

use kua::chain::Certificate;
use kua::measurement::Handshake;
use kua_mint::{Algorithm, Key, Template, self_signed};
use rustls::crypto::{ActiveKeyExchange, CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::{SignatureScheme, SupportedCipherSuite, Tls13CipherSuite};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use webpki::RawPublicKeyEntity;

use crate::Result;

const ROUNDS: usize = 1000;

/// Secrets that a TLS 1.3 client derives without resumption (RFC 8446, section 7.1): three
/// extractions, and twenty expansions with keys, IVs and Finished.
const EXTRACTIONS: u32 = 3;
const EXPANSIONS: u32 = 20;

/// Time in cryptography for a handshake like `shaken`, with a server that has `key`.
///
/// The records' encryption is left out: some 3 kB of AES-GCM are microseconds.
pub(crate) fn of(shaken: &Handshake, key: &Key, algorithm: Algorithm) -> Result<Duration> {
    let provider = aws_lc_rs::default_provider();
    let group = shaken.extra.group.as_deref().unwrap_or_default();
    let bytes = shaken.extra.received.unwrap_or(0) + shaken.extra.sent.unwrap_or(0);
    let suite = suite(&provider, &shaken.cipher)?;
    let agreed = agreement(&provider, group)?;
    let signed = signature(&provider, key, algorithm)?;
    Ok(agreed + signed + schedule(suite, &vec![0; usize::try_from(bytes)?])?)
}

/// Key shares as the probe offers them, and the secret from the server's answer in `group`.
fn agreement(provider: &CryptoProvider, group: &str) -> Result<Duration> {
    let offered = provider.kx_groups.first().ok_or("the provider has no group")?;
    let named =
        |known: &&&dyn SupportedKxGroup| format!("{:?}", known.name()).eq_ignore_ascii_case(group);
    let answered = provider.kx_groups.iter().find(named).ok_or("the group is unknown")?;
    median(|| {
        let began = Instant::now();
        let ours = offered.start()?;
        let started = began.elapsed();
        Ok(started + completed(ours, *answered)?)
    })
}

fn median(mut once: impl FnMut() -> Result<Duration>) -> Result<Duration> {
    let mut times = (0..ROUNDS).map(|_| once()).collect::<Result<Vec<_>>>()?;
    times.sort_unstable();
    Ok(times[ROUNDS / 2])
}

fn completed(
    ours: Box<dyn ActiveKeyExchange>,
    answered: &dyn SupportedKxGroup,
) -> Result<Duration> {
    if ours.group() == answered.name() {
        let server = answered.start_and_complete(ours.pub_key())?;
        let began = Instant::now();
        black_box(ours.complete(&server.pub_key)?);
        return Ok(began.elapsed());
    }
    // The server took the classical half of the hybrid offer; another group means a second flight.
    let (half, share) = ours.hybrid_component().ok_or("the server asked for another group")?;
    if half != answered.name() {
        return Err("the server asked for another group".into());
    }
    let server = answered.start_and_complete(share)?;
    let began = Instant::now();
    black_box(ours.complete_hybrid_component(&server.pub_key)?);
    Ok(began.elapsed())
}

/// One signature by `key` checked as the probe checks it.
fn signature(provider: &CryptoProvider, key: &Key, algorithm: Algorithm) -> Result<Duration> {
    let scheme = match algorithm {
        Algorithm::EcdsaSha256 => SignatureScheme::ECDSA_NISTP256_SHA256,
        Algorithm::RsaPssSha256 => SignatureScheme::RSA_PSS_SHA256,
        other => return Err(format!("no TLS 1.3 server signs with {other:?} here").into()),
    };
    let known = provider.signature_verification_algorithms.mapping;
    let (_, algorithms) =
        known.iter().find(|(known, _)| *known == scheme).ok_or("the scheme is unknown")?;
    // A certificate is a signed message that the mint can make.
    let signed = self_signed(key, Template::bare(&[0x30, 0]).algorithm(algorithm));
    let signed = Certificate::from_bytes(&signed.certificate)?;
    let fields = signed.fields().ok_or("the mint made an unreadable certificate")?;
    median(|| {
        let began = Instant::now();
        let spki = SubjectPublicKeyInfoDer::from(fields.spki.as_slice());
        let key = RawPublicKeyEntity::try_from(&spki)?;
        key.verify_signature(algorithms[0], &fields.tbs, &fields.signature)?;
        Ok(began.elapsed())
    })
}

/// The hash over all messages, and every secret that is derived.
fn schedule(suite: &Tls13CipherSuite, messages: &[u8]) -> Result<Duration> {
    median(|| {
        let began = Instant::now();
        black_box(suite.common.hash_provider.hash(messages));
        for _ in 0..EXTRACTIONS {
            black_box(suite.hkdf_provider.extract_from_secret(None, &[7; 32]));
        }
        let expander = suite.hkdf_provider.extract_from_secret(None, &[7; 32]);
        for _ in 0..EXPANSIONS {
            black_box(expander.expand_block(&[b"tls13 c hs traffic", &[7; 32]]));
        }
        Ok(began.elapsed())
    })
}

fn suite(provider: &CryptoProvider, cipher: &str) -> Result<&'static Tls13CipherSuite> {
    let name = cipher.replacen("TLS_", "TLS13_", 1);
    let known = provider.cipher_suites.iter();
    let suite = known.filter_map(SupportedCipherSuite::tls13);
    let mut suite = suite.filter(|suite| format!("{:?}", suite.common.suite) == name);
    suite.next().ok_or_else(|| format!("{cipher} is no TLS 1.3 suite").into())
}
