//! Runs many cases at once, since most of their time is waiting.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

/// Runs `work` on all cases, `width` at a time, and returns the results in their order.
pub fn at_once<C: Sync, R: Send>(width: usize, cases: &[C], work: impl Fn(&C) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<R>>> = Mutex::new(cases.iter().map(|_| None).collect());
    thread::scope(|scope| {
        for _ in 0..width.min(cases.len()) {
            scope.spawn(|| {
                while let Some((at, case)) = Some(next.fetch_add(1, SeqCst)).and_then(|at| Some((at, cases.get(at)?))) {
                    let result = work(case);
                    results.lock().expect("no panic")[at] = Some(result);
                }
            });
        }
    });
    results.into_inner().expect("no panic").into_iter().map(|result| result.expect("each case was worked on")).collect()
}
