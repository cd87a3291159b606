//! How fast Kua is, as ratios beside what everybody knows, measured in the same run.
//!
//! The figures of a run belong to its machine and to what else ran there; the ratios travel.

mod archived;
mod bare;
mod cpu;
mod cryptography;
mod handshakes;
mod importing;
mod judging;
mod machine;
mod openssl;
mod records;
mod table;

use std::error::Error;
use std::io::Write;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let out = &mut std::io::stdout().lock();
    write!(out, "{}", machine::describe())?;
    for bench in [handshakes::bench, judging::bench, importing::bench, archived::bench] {
        writeln!(out)?;
        out.flush()?;
        write!(out, "{}", bench()?)?;
    }
    Ok(())
}
