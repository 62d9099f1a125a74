//! The writer: commits queued writes in batches, one transaction per batch.
//!
//! A batch holds writes of requests and of this process's own work. While its commit waits for the disk, new writes are
//! queued for the next batch. A write that fails does not affect the others: if it has changed nothing, the batch goes
//! on; otherwise the batch is rolled back and run again, with each write in its own savepoint. Savepoints are not used
//! the first time, since each copies every page that it changes. If the commit fails, all writes of the batch fail.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::error::{Result, StoreError};
use super::shared::SharedConnection;

/// The number of requests in a batch, and of own writes. In a larger batch the first request would wait too long.
const MOST_TOGETHER: usize = 256;

/// The number of own writes in a batch with fewer requests than this. With more requests, it is the number of requests,
/// so that the work keeps up with them.
const OWN_BESIDE: usize = 16;

/// The number of requests in a batch from which on the next batch waits for as many: most clients send their next
/// request at once.
const CROWD: usize = 8;

/// The longest time that a batch waits for requests. It never waits longer than a quarter of the last commit.
const GATHERING: Duration = Duration::from_micros(500);

/// The number of queued requests from which on new ones are refused.
pub const MAX_QUEUED: usize = 1024;

/// The connection that writes, and its queue.
pub struct Writer {
    connection: SharedConnection,
    queue: Mutex<Queue>,
    /// Notified when the expected number of requests is queued.
    gathered: Condvar,
}

/// The source of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// A request, whose client waits for the response.
    Request,
    /// The own work of this process.
    Work,
}

#[derive(Default)]
struct Queue {
    requests: VecDeque<Box<dyn Job>>,
    work: VecDeque<Box<dyn Job>>,
    /// The number of requests that the next batch waits for, and for how long.
    expected: usize,
    patience: Duration,
    /// Whether a thread is committing batches.
    busy: bool,
}

/// A queued write.
trait Job: Send {
    /// Runs the write. Returns `false` if it failed after changing something, so that the batch must be rolled back. On an
    /// error, SQLite has rolled the transaction back already.
    fn work(&mut self, tx: &Transaction<'_>, undo: Undo) -> Result<bool>;

    /// Sends the result to the caller.
    fn answer(&mut self, committed: Result<()>);
}

/// How the changes of a failed write are rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Undo {
    /// With the whole batch.
    Together,
    /// In its own savepoint.
    Apart,
}

struct Write<T, W> {
    work: W,
    result: Result<Option<T>>,
    answer: Option<oneshot::Sender<Result<T>>>,
}

impl Writer {
    pub fn new(connection: SharedConnection) -> Self {
        Self { connection, queue: Mutex::default(), gathered: Condvar::new() }
    }

    /// Runs `work` in a batch. Returns after commit; `work` may run twice, the first time rolled back.
    pub async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        whom: For,
        work: impl FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        if self.enqueue(whom, Box::new(Write { work, result: Ok(None), answer: Some(answer) })) {
            let writer = Arc::clone(self);
            tokio::task::spawn_blocking(move || writer.carry_out());
        }
        answered.await.unwrap_or(Err(StoreError::Panicked))
    }

    /// Whether the queue is full.
    pub fn is_crowded(&self) -> bool {
        // Own work is not counted: it is bounded by one worker per agent.
        self.queue().requests.len() >= MAX_QUEUED
    }

    /// Uses the connection between two batches.
    pub fn with<T>(&self, work: impl FnOnce(&mut Connection) -> T) -> T {
        work(&mut self.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Queues a write. Returns whether the caller must start a thread that commits.
    fn enqueue(&self, whom: For, job: Box<dyn Job>) -> bool {
        let mut queue = self.queue();
        match whom {
            For::Request => queue.requests.push_back(job),
            For::Work => queue.work.push_back(job),
        }
        if queue.requests.len() == queue.expected {
            self.gathered.notify_one();
        }
        !std::mem::replace(&mut queue.busy, true)
    }

    /// Commits batches until the queue is empty.
    fn carry_out(&self) {
        while let Some(mut jobs) = self.next() {
            let committed = self.with(|connection| commit(connection, &mut jobs));
            #[cfg(sabotage)]
            crate::sabotage::may_die("before-answer");
            jobs.iter_mut().for_each(|job| job.answer(committed.clone().map(|_| ())));
            self.queue().patience = GATHERING.min(committed.unwrap_or_default() / 4);
        }
    }

    fn next(&self) -> Option<Vec<Box<dyn Job>>> {
        let queue = self.queue();
        let patience = queue.patience;
        let few = |queue: &mut Queue| queue.requests.len() < queue.expected;
        let (mut queue, _) =
            self.gathered.wait_timeout_while(queue, patience, few).unwrap_or_else(PoisonError::into_inner);
        let jobs = queue.next();
        queue.busy = !jobs.is_empty();
        queue.busy.then_some(jobs)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // No code that can panic runs under this lock.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Removes the next batch from the queue.
    fn next(&mut self) -> Vec<Box<dyn Job>> {
        let requests = self.requests.len().min(MOST_TOGETHER);
        self.expected = if requests < CROWD { 0 } else { requests };
        let work = self.work.len().min(if requests == 0 { MOST_TOGETHER } else { requests.max(OWN_BESIDE) });
        self.requests.drain(..requests).chain(self.work.drain(..work)).collect()
    }
}

/// Commits a batch. Returns the duration of the commit.
fn commit(connection: &mut Connection, jobs: &mut [Box<dyn Job>]) -> Result<Duration> {
    let took = match attempt(connection, jobs, Undo::Together)? {
        None => attempt(connection, jobs, Undo::Apart)?,
        took => took,
    };
    Ok(took.unwrap_or_default())
}

/// Tries to commit a batch. Returns `None`, with nothing committed, if a failed write has changed something.
fn attempt(connection: &mut Connection, jobs: &mut [Box<dyn Job>], undo: Undo) -> Result<Option<Duration>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in jobs.iter_mut() {
        if !job.work(&transaction, undo)? {
            return Ok(None);
        }
    }
    #[cfg(sabotage)]
    crate::sabotage::may_die("before-commit");
    #[cfg(sabotage)]
    if crate::sabotage::breaks("answer-after-commit") {
        jobs.iter_mut().for_each(|job| job.answer(Ok(())));
        std::thread::sleep(std::time::Duration::from_millis(30));
    }
    let began = Instant::now();
    transaction.commit()?;
    Ok(Some(began.elapsed()))
}

impl<T: Send, W: FnMut(&Transaction<'_>) -> Result<T> + Send> Job for Write<T, W> {
    fn work(&mut self, tx: &Transaction<'_>, undo: Undo) -> Result<bool> {
        let before = tx.total_changes();
        let result = match undo {
            Undo::Together => caught(tx, &mut self.work),
            Undo::Apart => in_savepoint(tx, &mut self.work),
        };
        self.result = result.map(Some);
        match &self.result {
            Err(error) if tx.is_autocommit() => Err(error.clone()),
            Err(_) => Ok(undo == Undo::Apart || tx.total_changes() == before),
            Ok(_) => Ok(true),
        }
    }

    fn answer(&mut self, committed: Result<()>) {
        let result = std::mem::replace(&mut self.result, Ok(None)).and_then(|value| committed.map(|()| value));
        if let Some(answer) = self.answer.take() {
            // The caller may have been dropped.
            let _ = answer.send(result.and_then(|value| value.ok_or(StoreError::Panicked)));
        }
    }
}

/// Runs optional work in a savepoint. Returns `None` if it failed; earlier changes of the transaction are kept.
pub fn try_in_savepoint<T>(
    tx: &Transaction<'_>,
    work: impl FnOnce(&Transaction<'_>) -> Result<T>,
) -> Result<Option<T>> {
    match in_savepoint(tx, work) {
        Ok(value) => Ok(Some(value)),
        Err(error) if tx.is_autocommit() => Err(error),
        Err(_) => Ok(None),
    }
}

/// Runs work in a savepoint, which is rolled back if it fails. If the disk is full, SQLite rolls back the transaction.
fn in_savepoint<T>(tx: &Transaction<'_>, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
    let say = |sql: &str| tx.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    say("SAVEPOINT job")?;
    let result = caught(tx, work);
    if !tx.is_autocommit() {
        if result.is_err() {
            say("ROLLBACK TO job")?;
        }
        say("RELEASE job")?;
    }
    result
}

/// Runs work. A panic is an error.
fn caught<T>(tx: &Transaction<'_>, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(|| work(tx))).unwrap_or(Err(StoreError::Panicked))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::oneshot::Receiver;

    use super::*;
    use crate::db::{self, Identity};

    const TABLES: Identity = Identity {
        application_id: 78,
        version: 1,
        schema: "CREATE TABLE t (x NOT NULL);
            CREATE TABLE later (x REFERENCES later (y) DEFERRABLE INITIALLY DEFERRED, y UNIQUE)",
    };

    struct Fixture {
        writer: Writer,
        reader: Connection,
        _dir: tempfile::TempDir,
    }

    fn bed() -> Fixture {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("it.db");
        let writer = Writer::new(Arc::new(Mutex::new(db::open(&path, TABLES).expect("opened"))));
        Fixture { writer, reader: db::open_to_read(&path).expect("opened"), _dir: dir }
    }

    impl Fixture {
        fn wait(&self, work: impl FnMut(&Transaction<'_>) -> Result<()> + Send + 'static) -> Receiver<Result<()>> {
            self.wait_for(For::Request, work)
        }

        fn wait_for(
            &self,
            whom: For,
            work: impl FnMut(&Transaction<'_>) -> Result<()> + Send + 'static,
        ) -> Receiver<Result<()>> {
            let (answer, answered) = oneshot::channel();
            self.writer.enqueue(whom, Box::new(Write { work, result: Ok(None), answer: Some(answer) }));
            answered
        }

        fn stored(&self) -> i64 {
            self.reader.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).expect("counted")
        }
    }

    fn insert(tx: &Transaction<'_>) -> Result<()> {
        Ok(tx.execute("INSERT INTO t VALUES (1)", []).map(|_| ())?)
    }

    #[test]
    fn a_failed_write_is_rolled_back_alone() {
        let bed = bed();
        let mut first = bed.wait(insert);
        let mut failing = bed.wait(|tx| insert(tx).and(Err(StoreError::Lost)));
        let mut panicking = bed.wait(|tx| insert(tx).map(|()| panic!("on purpose")));
        let mut last = bed.wait(insert);
        bed.writer.carry_out();
        assert!(matches!(first.try_recv(), Ok(Ok(()))));
        assert!(matches!(failing.try_recv(), Ok(Err(StoreError::Lost))));
        assert!(matches!(panicking.try_recv(), Ok(Err(StoreError::Panicked))));
        assert!(matches!(last.try_recv(), Ok(Ok(()))));
        assert_eq!(bed.stored(), 2);
    }

    #[test]
    fn a_batch_runs_again_only_if_a_failed_write_changed_something() {
        for (writes, times) in [(false, 1), (true, 2)] {
            let bed = bed();
            let count = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&count);
            let mut good = bed.wait(move |tx| {
                counted.fetch_add(1, Ordering::Relaxed);
                insert(tx)
            });
            let mut failing = bed.wait(move |tx| {
                if writes {
                    insert(tx)?;
                }
                Err(StoreError::Lost)
            });
            bed.writer.carry_out();
            assert!(matches!(good.try_recv(), Ok(Ok(()))));
            assert!(matches!(failing.try_recv(), Ok(Err(StoreError::Lost))));
            assert_eq!((count.load(Ordering::Relaxed), bed.stored()), (times, 1), "{writes}");
        }
    }

    #[test]
    fn no_result_is_sent_before_the_commit_of_the_batch() {
        let bed = bed();
        let mut first = bed.wait(insert);
        let (tell, seen) = std::sync::mpsc::channel();
        let path = bed.reader.path().expect("a path").to_owned();
        let _second = bed.wait(move |tx| {
            let elsewhere = db::open_to_read(path.as_ref()).expect("opened");
            let count = |connection: &Connection| {
                connection.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).expect("counted")
            };
            tell.send((first.try_recv().is_err(), count(tx), count(&elsewhere))).expect("heard");
            Ok(())
        });
        bed.writer.carry_out();
        assert_eq!(seen.recv(), Ok((true, 1, 0)), "(no answer yet, written, not committed)");
        assert_eq!(bed.stored(), 1);
    }

    #[test]
    fn a_failed_commit_fails_the_whole_batch() {
        let bed = bed();
        let mut good = bed.wait(insert);
        let mut bad = bed.wait(|tx| Ok(tx.execute("INSERT INTO later VALUES (1, 2)", []).map(|_| ())?));
        bed.writer.carry_out();
        for answer in [good.try_recv(), bad.try_recv()] {
            assert!(matches!(answer, Ok(Err(StoreError::Sqlite(_)))), "{answer:?}");
        }
        assert_eq!(bed.stored(), 0);
        let mut next = bed.wait(insert);
        bed.writer.carry_out();
        assert!(matches!(next.try_recv(), Ok(Ok(()))), "the writer goes on");
    }

    #[test]
    fn on_a_full_disk_exactly_the_writes_that_are_not_stored_fail() {
        let bed = bed();
        bed.writer.with(|connection| connection.execute_batch("PRAGMA max_page_count = 20")).expect("limited");
        let big = |tx: &Transaction<'_>| Ok(tx.execute("INSERT INTO t VALUES (zeroblob(9000))", []).map(|_| ())?);
        let mut answers: Vec<_> = (0..20).map(|_| bed.wait(big)).collect();
        bed.writer.carry_out();
        let stored = answers.iter_mut().filter_map(|answer| answer.try_recv().expect("answered").ok()).count();
        assert!(stored < 20, "the disk was not full");
        assert_eq!(bed.stored(), i64::try_from(stored).expect("a few"));
    }

    #[test]
    fn a_batch_has_as_many_own_writes_as_requests() {
        let bed = bed();
        let own = |count| (0..count).map(|_| bed.wait_for(For::Work, insert)).collect::<Vec<_>>();
        let asked = |count| (0..count).map(|_| bed.wait(insert)).collect::<Vec<_>>();
        let taken = || bed.writer.next().map(|jobs| jobs.len());
        let _own = own(1000);
        let _asked = asked(300);
        assert_eq!(taken(), Some(MOST_TOGETHER * 2), "as much work as requests");
        assert_eq!(taken(), Some(44 * 2));
        let _asked = asked(3);
        assert_eq!(taken(), Some(3 + OWN_BESIDE), "some work in any case");
        assert_eq!(taken(), Some(MOST_TOGETHER), "no request waits");
        assert_eq!(taken(), Some(MOST_TOGETHER));
    }

    #[test]
    fn failed_optional_work_keeps_earlier_changes() {
        let bed = bed();
        let mut failed = bed.wait(|tx| {
            insert(tx)?;
            let next = try_in_savepoint(tx, |tx| insert(tx).and(Err::<(), _>(StoreError::Lost)))?;
            assert!(next.is_none());
            Ok(())
        });
        bed.writer.carry_out();
        assert!(matches!(failed.try_recv(), Ok(Ok(()))));
        assert_eq!(bed.stored(), 1);
    }

    #[test]
    fn the_queue_is_full_at_its_limit_until_a_commit() {
        let bed = bed();
        let _waiting: Vec<_> = (0..MAX_QUEUED).map(|_| bed.wait(insert)).collect();
        assert!(bed.writer.is_crowded());
        bed.writer.carry_out();
        assert!(!bed.writer.is_crowded());
        assert_eq!(bed.stored(), 1024);
    }
}
