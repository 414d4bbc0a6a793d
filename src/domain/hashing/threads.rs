//! The threads that hash, each with its memory. They give way to those that answer requests: a flood
//! of sign-ins makes sign-ins slow, and nothing else.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use argon2::Block;
use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// What one hash works in, from one use to the next. Reusing it saves a third of the time and most of
/// the memory that a login storm would take. It needs no wiping: with two passes or more every block
/// is overwritten by values that cost the whole computation to reach.
pub(super) type Memory = Vec<Block>;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// How much nicer (setpriority(2)) than the server they are: a third of the time where both want
/// all of it.
#[cfg(target_os = "linux")]
const NICER: i32 = 5;

/// They end when this is dropped.
#[derive(Debug)]
pub(super) struct Threads(Sender<Job>);

impl Threads {
    pub(super) fn start(count: usize) -> Result<Self> {
        let (jobs, waiting) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..count {
            let waiting = waiting.clone();
            thread::Builder::new()
                .name("hashing".to_owned())
                .spawn(move || work(&waiting))
                .map_err(Error::internal)?;
        }
        Ok(Self(jobs))
    }

    /// On one of the threads, after those that came before.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Memory) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (done, result) = oneshot::channel();
        let job = move |memory: &mut Memory| {
            // Whoever asked may be gone.
            let _gone = done.send(job(memory));
        };
        self.0
            .send(Box::new(job))
            .map_err(|_| Error::internal(std::io::Error::other("no thread hashes")))?;
        result.await.map_err(Error::internal)?
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    give_way();
    let mut memory = Memory::new();
    let next = || {
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv()
    };
    while let Ok(job) = next() {
        // A panic is the failure of one sign-in, which sees its answer missing.
        let _panicked: Result<(), Box<dyn Any + Send>> =
            catch_unwind(AssertUnwindSafe(|| job(&mut memory)));
    }
}

#[cfg(target_os = "linux")]
fn give_way() {
    use rustix::process::{getpriority_process, setpriority_process};
    // Linux takes the id of a thread where POSIX has processes.
    let thread = Some(rustix::thread::gettid());
    let nicer =
        getpriority_process(thread).and_then(|now| setpriority_process(thread, now + NICER));
    if let Err(e) = nicer {
        tracing::warn!(error = %e, "hashing does not give way to requests");
    }
}

#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn threads_that_hash_give_way_to_those_that_answer() {
        let nice = || {
            let thread = Some(rustix::thread::gettid());
            rustix::process::getpriority_process(thread).map_err(Error::internal)
        };
        let threads = Threads::start(1).unwrap();
        let theirs = threads.run(move |_| nice()).await.unwrap();
        // 19 is as nice as can be.
        assert_eq!(theirs, (nice().unwrap() + NICER).min(19));
    }

    #[tokio::test]
    async fn a_panic_is_one_failure_and_the_thread_goes_on() {
        let threads = Threads::start(1).unwrap();
        let failed: Result<()> = threads.run(|_| panic!("of a test")).await;
        assert!(failed.is_err());
        assert_eq!(threads.run(|_| Ok(7)).await.unwrap(), 7);
    }
}
