//! Work on a stream by several threads, handed on in the order of the stream; memory is bounded.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};

/// Runs `work` on all that `read` hands over, on `threads` threads, and hands what comes of it to
/// `take` in the order of reading. Each thread has a state of its own, and they are given back.
/// `read` is told `false` once nothing more is wanted.
pub(crate) fn in_order<I: Send, S: Send, O: Send, E: Send>(
    threads: usize,
    read: impl FnOnce(&mut dyn FnMut(I) -> bool) -> Result<(), E> + Send,
    start: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, I) -> O + Sync,
    mut take: impl FnMut(O) -> Result<(), E>,
) -> Result<Vec<S>, E> {
    let (hand, work_waits) = sync_channel::<(u64, I)>(threads);
    let (done, results) = sync_channel::<(u64, Worked<O>)>(threads);
    // No more than these are between reading and taking, however long one of them takes.
    let (places, free) = sync_channel::<()>(4 * threads);
    let work_waits = Mutex::new(work_waits);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut number = 0;
            read(&mut |item| {
                let handed = places.send(()).is_ok() && hand.send((number, item)).is_ok();
                number += 1;
                handed
            })
        });
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let (done, work_waits, start, work) = (done.clone(), &work_waits, &start, &work);
                scope.spawn(move || {
                    let mut state = start();
                    while let Some((number, item)) = next(work_waits) {
                        let worked = catch_unwind(AssertUnwindSafe(|| work(&mut state, item)));
                        if done.send((number, worked)).is_err() {
                            break;
                        }
                    }
                    state
                })
            })
            .collect();
        drop(done);
        let taken = take_in_order(&results, &free, &mut take);
        // Whoever still works learns that nobody waits for it.
        drop((results, free));
        if taken.is_err() {
            while next(&work_waits).is_some() {}
        }
        let read = joined(reader);
        let states = workers.into_iter().map(joined).collect();
        match taken {
            Ok(()) => read.map(|()| states),
            Err(Ended::Failed(error)) => Err(error),
            Err(Ended::Panicked(panic)) => resume_unwind(panic),
        }
    })
}

/// What came of one piece of work.
type Worked<O> = Result<O, Box<dyn Any + Send>>;

/// Why not everything was taken.
enum Ended<E> {
    Failed(E),
    Panicked(Box<dyn Any + Send>),
}

fn take_in_order<O, E>(
    results: &Receiver<(u64, Worked<O>)>,
    free: &Receiver<()>,
    take: &mut impl FnMut(O) -> Result<(), E>,
) -> Result<(), Ended<E>> {
    let mut early = BTreeMap::new();
    let mut wanted = 0;
    for (number, result) in results {
        early.insert(number, result.map_err(Ended::Panicked)?);
        while let Some(result) = early.remove(&wanted) {
            wanted += 1;
            take(result).map_err(Ended::Failed)?;
            let _ = free.recv();
        }
    }
    Ok(())
}

fn next<I>(waiting: &Mutex<Receiver<I>>) -> Option<I> {
    // A thread that panicked while it waited has taken nothing.
    waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv().ok()
}

fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(threads: usize, count: u64, fail_at: Option<u64>) -> Result<(Vec<u64>, u64), u64> {
        let mut taken = Vec::new();
        let read = |hand: &mut dyn FnMut(u64) -> bool| {
            for number in 0..count {
                if !hand(number) {
                    break;
                }
            }
            Ok(())
        };
        let states = in_order(
            threads,
            read,
            || 0_u64,
            |state, number| {
                *state += 1;
                number * 2
            },
            |double| {
                if Some(double / 2) == fail_at {
                    return Err(double / 2);
                }
                taken.push(double);
                Ok(())
            },
        )?;
        Ok((taken, states.into_iter().sum()))
    }

    #[test]
    fn everything_comes_in_order_and_once() {
        for threads in [1, 2, 5] {
            for count in [0, 1, 7, 1000] {
                let (taken, worked) = sums(threads, count, None).unwrap();
                assert_eq!(taken, (0..count).map(|number| number * 2).collect::<Vec<_>>());
                assert_eq!(worked, count);
            }
            assert_eq!(sums(threads, 1000, Some(3)), Err(3), "an error ends it");
        }
    }

    #[test]
    fn what_reading_ran_into_is_given_back() {
        let read = |hand: &mut dyn FnMut(u64) -> bool| {
            hand(1);
            Err("broken off")
        };
        let mut taken = 0;
        let ended = in_order(
            2,
            read,
            || (),
            |(), item| item,
            |item| {
                taken += item;
                Ok(())
            },
        );
        assert_eq!(ended.err(), Some("broken off"));
        assert_eq!(taken, 1);
    }

    #[test]
    #[should_panic(expected = "this one")]
    fn a_panic_is_nobodys_to_wait_for() {
        let read = |hand: &mut dyn FnMut(u64) -> bool| {
            while hand(1) {}
            Ok::<_, ()>(())
        };
        drop(in_order(2, read, || (), |(), _| panic!("this one"), |()| Ok(())));
    }
}
