//! The news that this node sends, heard by itself: when they are back, the other nodes have them, too.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::oneshot, time::timeout};

use crate::secret;

/// For so long a change waits for its own news to come back.
const NEWS: Duration = Duration::from_millis(250);

/// Resolves when news came back, or never.
pub type Heard = oneshot::Receiver<()>;

#[derive(Debug)]
pub struct Echo {
    node: u64,
    awaited: Mutex<Awaited>,
    /// Microseconds that the last change took to be heard.
    lag: AtomicU64,
}

#[derive(Debug, Default)]
struct Awaited {
    last: u64,
    senders: HashMap<u64, oneshot::Sender<()>>,
}

impl Default for Echo {
    fn default() -> Self {
        Self {
            // Two nodes that drew the same would only wait less long for each other.
            node: secret::random().map_or(0, u64::from_be_bytes),
            awaited: Mutex::default(),
            lag: AtomicU64::new(0),
        }
    }
}

impl Echo {
    /// Before news are sent: a number for them, and what resolves when they are heard here.
    pub fn expect(&self) -> (u64, Heard) {
        let (tell, heard) = oneshot::channel();
        let mut awaited = self.awaited();
        awaited.last += 1;
        let number = awaited.last;
        awaited.senders.insert(number, tell);
        (number, heard)
    }

    /// News that this node itself sent came back: the others have them by now, too.
    pub fn came_back(&self, number: u64) {
        if let Some(tell) = self.awaited().senders.remove(&number) {
            // Whoever waited may have lost patience.
            let _gone = tell.send(());
        }
    }

    /// What was on its way is lost; whoever waits for it goes on.
    pub fn is_lost(&self) {
        self.awaited().senders.clear();
    }

    /// PostgreSQL tells all listeners at the same moment. Who does not hear itself in time is about to find
    /// its connection lost.
    pub async fn wait(&self, heard: Heard) {
        let began = Instant::now();
        let _late = timeout(NEWS, heard).await;
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.lag.store(micros, Ordering::Relaxed);
    }

    /// How long after its commit the last change was heard, as other nodes hear it, or was given up.
    pub fn lag(&self) -> Duration {
        Duration::from_micros(self.lag.load(Ordering::Relaxed))
    }

    /// Names this process among those that send news.
    pub fn node(&self) -> u64 {
        self.node
    }

    fn awaited(&self) -> MutexGuard<'_, Awaited> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
