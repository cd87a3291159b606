//! The threads: one that reads and unpacks, one a core that reads records, and their order again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use kua::wire::Reader;

use super::blocks::{Item, Stop, read};
use super::records::{Parsed, Raw, parse};
use super::room::Room;
use super::{Import, Incoming, Input, Mark, ReadError};

/// Blocks that wait before and after each thread.
const WAITING: usize = 2;

/// Files that are being read. Dropping it ends that.
pub struct Reading {
    files: Vec<PathBuf>,
    from: Vec<Receiver<Done>>,
    threads: Vec<JoinHandle<()>>,
    room: Arc<Room>,
    turn: usize,
    line: u64,
    input: usize,
}

/// An item that a thread has read the records of.
struct Done {
    item: Item,
    parsed: Vec<Parsed>,
    lines: u64,
}

/// What comes next.
pub enum Next {
    /// Some records of one file.
    Batch(Batch),
    /// A file, or a member of one, could not be read or not to its end.
    Broken(ReadError),
    /// The input with this number was read, as far as it could be.
    Ended(usize),
    /// Nothing yet.
    Waiting,
    /// Everything was read.
    End,
}

/// Records that were read together.
pub struct Batch {
    /// The number of the input they are from.
    pub input: usize,
    /// Where they begin, where reading may begin there.
    pub at: Option<Mark>,
    /// Packed bytes of the input that were read so far.
    pub packed: u64,
    file: Arc<Path>,
    line: u64,
    bytes: Vec<u8>,
    parsed: Vec<Parsed>,
    room: Arc<Room>,
}

impl Reading {
    /// Begins to read `inputs` in their order. A record is read by the first of `formats` that it
    /// has the shape of.
    pub fn start(inputs: Vec<Input>, formats: &[&'static Import]) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let room = Arc::new(Room::default());
        let files = inputs.iter().map(|input| input.file.clone()).collect();
        let mut reading = Self {
            files,
            from: Vec::new(),
            threads: Vec::new(),
            room: Arc::clone(&room),
            turn: 0,
            line: 1,
            input: 0,
        };
        let mut to = Vec::new();
        for _ in 0..threads {
            let (give, take) = sync_channel(WAITING);
            let (done, from) = sync_channel(WAITING);
            let mut reader = Reader::new(formats);
            reading.threads.push(std::thread::spawn(move || work(&take, &done, &mut reader)));
            reading.from.push(from);
            to.push(give);
        }
        let formats = formats.to_vec();
        let reader = std::thread::spawn(move || read_all(&inputs, &formats, &to, &room));
        reading.threads.push(reader);
        reading
    }

    /// The file of an input.
    pub fn file(&self, input: usize) -> &Path {
        &self.files[input]
    }

    /// Waits at most so long.
    ///
    /// # Panics
    /// Where a thread of it did.
    pub fn next(&mut self, at_most: Duration) -> Next {
        loop {
            let turn = self.turn % self.from.len();
            let Done { item, parsed, lines } = match self.from[turn].recv_timeout(at_most) {
                Ok(done) => done,
                Err(RecvTimeoutError::Timeout) => return Next::Waiting,
                Err(RecvTimeoutError::Disconnected) => {
                    for thread in self.threads.drain(..) {
                        if let Err(panic) = thread.join() {
                            std::panic::resume_unwind(panic);
                        }
                    }
                    return Next::End;
                }
            };
            self.turn += 1;
            match item {
                Item::Begin(input) => self.input = input,
                Item::End => return Next::Ended(self.input),
                Item::Broken(error) => return Next::Broken(error),
                Item::Block(block) => {
                    let line = block.line.unwrap_or(self.line);
                    self.line = line + lines;
                    return Next::Batch(Batch {
                        input: self.input,
                        at: block.offset.map(|offset| Mark { offset, line }),
                        packed: block.packed,
                        file: block.file,
                        line,
                        bytes: block.bytes,
                        parsed,
                        room: Arc::clone(&self.room),
                    });
                }
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // A thread that waits for its input is left alone: it ends with the program.
        self.room.close();
    }
}

impl Batch {
    /// How many records it has.
    pub fn len(&self) -> usize {
        self.parsed.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.parsed.is_empty()
    }

    /// Bytes, unpacked.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Hands every record to `visit`, in their order.
    ///
    /// # Errors
    /// Whatever `visit` gives, at once.
    pub fn each<E>(
        mut self,
        mut visit: impl FnMut(Incoming<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        for Parsed { line, raw, read } in std::mem::take(&mut self.parsed) {
            let raw = match &raw {
                Raw::Within(place) => &self.bytes[place.clone()],
                Raw::Made(made) => made,
            };
            visit(Incoming { file: &self.file, line: self.line + line, raw, read })?;
        }
        Ok(())
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.room.give_back(self.bytes.len());
    }
}

/// Deals items to the threads in turn.
fn read_all(inputs: &[Input], formats: &[&'static Import], to: &[SyncSender<Item>], room: &Room) {
    let mut turn = 0;
    let mut give = |item: Item| {
        if let Item::Block(block) = &item
            && !room.take(block.bytes.len())
        {
            return false;
        }
        turn += 1;
        to[(turn - 1) % to.len()].send(item).is_ok()
    };
    for (number, input) in inputs.iter().enumerate() {
        if !give(Item::Begin(number)) {
            return;
        }
        let goes_on = match read(input, formats, &mut give) {
            Ok(()) => true,
            Err(Stop::Broken(source)) => give(Item::Broken(ReadError::new(&input.file, source))),
            Err(Stop::Closed) => false,
        };
        if !goes_on || !give(Item::End) {
            return;
        }
    }
}

fn work(take: &Receiver<Item>, done: &SyncSender<Done>, reader: &mut Reader) {
    while let Ok(item) = take.recv() {
        let (parsed, lines) = match &item {
            Item::Block(block) => parse(block, reader),
            _ => (Vec::new(), 0),
        };
        if done.send(Done { item, parsed, lines }).is_err() {
            return;
        }
    }
}
