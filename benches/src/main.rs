//! How fast Kua is, as ratios beside what everybody knows, measured in the same run.
//!
//! The figures of a run belong to its machine and to what else ran there; the ratios travel.
//! `kua-benches [BENCH [ROWS]]` runs one alone, over so many rows where it generates them.

mod archived;
mod bare;
mod cpu;
mod cryptography;
mod handshakes;
mod importing;
mod judging;
mod machine;
mod national;
mod openssl;
mod records;
mod table;

use std::error::Error;
use std::io::Write;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

type Bench = fn() -> Result<table::Table>;

/// Every benchmark, by its name.
const BENCHES: &[(&str, Bench)] = &[
    ("handshakes", handshakes::bench),
    ("judging", judging::bench),
    ("importing", importing::bench),
    ("archived", archived::bench),
    ("national", national::bench),
];

fn main() -> Result<()> {
    let out = &mut std::io::stdout().lock();
    write!(out, "{}", machine::describe())?;
    let wanted = std::env::args().nth(1);
    let chosen = |name: &str| wanted.as_deref().is_none_or(|wanted| wanted == name);
    for (_, bench) in BENCHES.iter().filter(|(name, _)| chosen(name)) {
        writeln!(out)?;
        out.flush()?;
        write!(out, "{}", bench()?)?;
    }
    Ok(())
}
