//! Import of OONI's lines into an archive, fsync included, beside what must be done at least.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use kua_archive::{Totals, Writer};
use kua_collector::import::{IMPORTS, Incoming, Input, Next, Reading, read_files};

use crate::Result;
use crate::records::World;
use crate::table::{Table, ratio};

const RECORDS: usize = 2000;

/// About what a record of OONI's web_connectivity has.
const LENGTH: usize = 20_000;

/// Bytes between two fsyncs, as the archive has them.
const BATCH: usize = 64 << 20;

/// From a file to an archive on the same disk.
pub(crate) fn bench() -> Result<Table> {
    let title = "Import of OONI's JSON lines into a new archive, fsync included";
    let columns = ["MB a second", "beside gzip", "beside JSON"];
    let mut table = Table::new(title, &columns);
    let world = World::new();
    let dir = tempfile::tempdir()?;
    for (what, distinct) in
        [("95 % repeated chains", RECORDS / 20), ("every chain another", RECORDS)]
    {
        let file = dir.path().join(format!("{distinct}.jsonl"));
        let size = write(&world, distinct, &file)?;
        let certificates = distinct + world.intermediates();
        let speed = |seconds: f64| size / seconds / 1e6;
        let import = speed(import(&file, &dir.path().join(distinct.to_string()), certificates)?);
        let json = speed(json(&file)?);
        let gzip = gzip(&file)?.map(speed);
        let sync = speed(write_and_sync(&file)?);
        let row = |table: &mut Table, what: &str, speed: f64| {
            let gzip = gzip.map_or_else(|| "skipped".to_owned(), |gzip| ratio(speed, gzip));
            table.row(what, &[format!("{speed:.0}"), gzip, ratio(speed, json)]);
        };
        row(&mut table, &format!("{what}: import"), import);
        let read = speed(read(&file)?);
        row(&mut table, "  split, read and validated only, on all cores", read);
        match gzip {
            Some(gzip) => row(&mut table, "  gzip -dc of the same", gzip),
            None => table.note("skipped: gzip is not installed"),
        }
        row(&mut table, "  serde_json::Value of the same", json);
        row(&mut table, "  written and fsynced only", sync);
    }
    table.note(format!("{RECORDS} records of {} kB, in the temporary directory", LENGTH / 1000));
    Ok(table)
}

/// Gives the file's length.
fn write(world: &World, distinct: usize, file: &Path) -> Result<f64> {
    let mut out = File::create(file)?;
    for line in world.lines(RECORDS, distinct)? {
        writeln!(out, "{}", crate::records::as_ooni(&line.text, LENGTH)?)?;
    }
    out.sync_all()?;
    Ok(out.metadata()?.len() as f64)
}

fn import(file: &Path, archive: &Path, certificates: usize) -> Result<f64> {
    let began = Instant::now();
    let mut writer = Writer::open(&archive.into())?;
    let keep = |incoming: Incoming<'_>| -> Result<()> {
        let measurement = incoming.read?;
        writer.keep(incoming.raw, &measurement, None)?;
        Ok(())
    };
    let broken = read_files(&[PathBuf::from(file)], IMPORTS[0], keep)?;
    writer.commit()?;
    let seconds = began.elapsed().as_secs_f64();
    let expected = Totals { records: RECORDS as u64, certificates: certificates as u64 };
    match writer.totals() == expected && broken.is_empty() {
        true => Ok(seconds),
        false => Err(format!("kept {:?} instead of {expected:?}", writer.totals()).into()),
    }
}

/// All that an import does but keeping.
fn read(file: &Path) -> Result<f64> {
    let began = Instant::now();
    let mut reading = Reading::start(vec![Input::new(file.into())], &IMPORTS[..1]);
    let mut records = 0;
    loop {
        match reading.next(std::time::Duration::MAX) {
            Next::Batch(batch) => records += batch.len(),
            Next::Broken(error) => return Err(error.into()),
            Next::Ended(_) | Next::Waiting => {}
            Next::End if records == RECORDS => return Ok(began.elapsed().as_secs_f64()),
            Next::End => return Err(format!("read {records} records").into()),
        }
    }
}

fn json(file: &Path) -> Result<f64> {
    let began = Instant::now();
    for line in BufReader::new(File::open(file)?).split(b'\n') {
        let value: serde_json::Value = serde_json::from_slice(&line?)?;
        std::hint::black_box(value);
    }
    Ok(began.elapsed().as_secs_f64())
}

/// `None` where there is no gzip.
fn gzip(file: &Path) -> Result<Option<f64>> {
    let packed = file.with_extension("gz");
    let packing = Command::new("gzip").arg("-c").arg(file).stdout(File::create(&packed)?).status();
    if !packing.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let began = Instant::now();
    let status = Command::new("gzip").arg("-dc").arg(&packed).stdout(Stdio::null()).status()?;
    Ok(status.success().then(|| began.elapsed().as_secs_f64()))
}

fn write_and_sync(file: &Path) -> Result<f64> {
    let bytes = std::fs::read(file)?;
    let began = Instant::now();
    let mut out = File::create(file.with_extension("copy"))?;
    for batch in bytes.chunks(BATCH) {
        out.write_all(batch)?;
        out.sync_data()?;
    }
    Ok(began.elapsed().as_secs_f64())
}
