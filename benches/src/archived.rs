//! What an archived handshake costs in bytes, once records are settled.

use kua::chain::Chain;
use kua::measurement::{Handshake, Measurement, Software, Span, Target, Vantage};
use kua::wire::{from_line, to_line};
use kua_archive::settle::Options;
use kua_archive::{Archive, Writer};
use kua_mint::Authority;
use time::OffsetDateTime;

use crate::Result;
use crate::records::as_ooni;
use crate::table::Table;

const SITES: usize = 100;
const DAYS: usize = 3;

/// Networks that measure all sites each day, of this many countries.
const NETWORKS: usize = 150;
const COUNTRIES: [&str; 3] = ["KZ", "DE", "IR"];

/// About what a record of OONI's web_connectivity has.
const LENGTH: usize = 8_000;

/// Many networks, the same sites, day after day.
pub(crate) fn bench() -> Result<Table> {
    let mut table = Table::new("Bytes an archived handshake, certificates shared", &["bytes"]);
    let dir = tempfile::tempdir()?;
    let place = dir.path().join("archive").into();
    let chains: Vec<_> = (0..SITES).map(chain).collect();
    let mut writer = Writer::open(&place)?;
    let (mut count, mut text) = (0u64, 0u64);
    for day in 0..DAYS {
        for network in 0..NETWORKS {
            for (site, sent) in chains.iter().enumerate() {
                let line = as_ooni(&to_line(&measurement(day, network, site, sent)?), LENGTH)?;
                writer.keep(line.as_bytes(), &from_line(line.as_bytes())?, None)?;
                count += 1;
                text += line.len() as u64;
            }
        }
    }
    let options = Options { grace: std::time::Duration::ZERO, ..Options::default() };
    writer.settle(&options, |_| ())?;
    let snapshot = Archive::open(&place)?.snapshot()?;
    let size = |folder| -> Result<f64> {
        let tables = snapshot.tables(folder)?;
        Ok(tables.iter().map(|(_, bytes)| *bytes).sum::<u64>() as f64 / count as f64)
    };
    let raw: u64 = snapshot.segments().iter().map(|segment| segment.bytes).sum();
    let (handshakes, certificates) = (size("handshakes/")?, size("certificates/")?);
    table.row("handshakes/", &[format!("{handshakes:.1}")]);
    table.row("certificates/", &[format!("{certificates:.1}")]);
    table.row("both", &[format!("{:.1}", handshakes + certificates)]);
    table.row("raw/", &[format!("{:.1}", raw as f64 / count as f64)]);
    table.row("the records as received", &[format!("{:.1}", text as f64 / count as f64)]);
    let files = snapshot.tables("handshakes/")?.len();
    table.note(format!(
        "{count} handshakes: {NETWORKS} networks, {SITES} sites, {DAYS} days; {files} tables"
    ));
    Ok(table)
}

fn chain(site: usize) -> Vec<Vec<u8>> {
    let root = Authority::root("Root");
    let middle = root.intermediate("Intermediate");
    vec![middle.leaf(&host(site)).certificate, middle.certificate]
}

fn host(site: usize) -> String {
    format!("site-{site}.example")
}

/// The names and times of OONI's own: what no two records share is as long as there.
fn measurement(day: usize, network: usize, site: usize, sent: &[Vec<u8>]) -> Result<Measurement> {
    let number = ((day * NETWORKS + network) * SITES + site) as u64;
    let noise = |salt: u64| {
        let mut mixed = (number ^ salt << 40).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for _ in 0..3 {
            mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        }
        mixed ^ mixed >> 32
    };
    let country = COUNTRIES[network % COUNTRIES.len()];
    let asn = 1_000 + network as u32 * 37;
    // A run measures its sites one after the other.
    let second = (network * 577 % 80_000 + site * 3) as i64 + (noise(1) % 3) as i64;
    let started =
        OffsetDateTime::from_unix_timestamp(1_697_414_400 + day as i64 * 86_400 + second)?;
    let clock = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}",
        started.year(),
        u8::from(started.month()),
        started.day(),
        started.hour(),
        started.minute(),
        started.second()
    );
    let begun = (noise(2) % 400_000) as f64 / 1e6;
    let shaken = Handshake {
        network: "tcp".into(),
        endpoint: Some(format!("192.0.2.{}:443", site * 2 + (noise(3) % 2) as usize).parse()?),
        server_name: Some(host(site)),
        chain: Some(Chain::from_der(sent)?),
        whole: true,
        version: "TLSv1.3".into(),
        cipher: "TLS_AES_128_GCM_SHA256".into(),
        alpn: "h2".into(),
        span: Span { t0: begun, t: begun + (20_000 + noise(4) % 300_000) as f64 / 1e6 },
        ..Handshake::default()
    };
    Ok(Measurement {
        uid: Some(format!(
            "{clock}.{:06}_{country}_webconnectivity_{:016x}",
            noise(5) % 1_000_000,
            noise(6)
        )),
        run: Some(format!("20231016T{network:06}Z_webconnectivity_{country}_{asn}_n1_{day:016x}")),
        started: Some(started),
        runtime: (noise(7) % 9_000_000) as f64 / 1e6,
        vantage: Vantage { country: country.into(), asn, network: format!("Network {asn}") },
        software: Software {
            name: "ooniprobe-android".into(),
            version: "3.18.1".into(),
            test: "web_connectivity".into(),
            test_version: "0.4.3".into(),
        },
        input: Some(format!("https://{}/", host(site))),
        target: Some(Target { host: host(site), port: 443 }),
        handshakes: vec![shaken],
        ..Measurement::default()
    })
}
