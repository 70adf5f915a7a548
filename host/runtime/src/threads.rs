//! The threads that run guests and nothing else: quick ones, and slow ones for guests
//! that compute.
//!
//! Nearly every call needs less than a millisecond of CPU time, between waits for its
//! upstream. If it had to stand in line with guests that compute for seconds, it
//! would wait for all of them at each of its steps. So a call that has taken its
//! share goes on among its like, on threads of lower priority, and so does from its
//! beginning a call whose plugin and organization have taken too much lately
//! ([`Recent`]). Whoever computes alone on a machine notices nothing of it.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use portcullis_core::id::{OrganizationId, SourceId};
use tokio::runtime::Runtime;
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::error::SandboxError;

/// CPU time after which a call goes on among the slow ones: many times what usual
/// calls need, and few ticks.
const QUICK_CPU_TIME: Duration = Duration::from_millis(20);

/// How much nicer slow threads are: they get about a tenth of the time that others
/// get when all want some.
const SLOW_NICENESS: i32 = 10;

/// Something that runs guests, boxed so that it can change threads half-way.
type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Two tokio runtimes of their own for guests.
pub(crate) struct GuestThreads {
    quick: Threads,
    slow: Threads,
}

impl GuestThreads {
    /// Starts this many quick threads, and as many slow ones.
    pub(crate) fn start(threads: usize) -> Result<Self, SandboxError> {
        Ok(Self {
            quick: Threads::start(threads, "guest", || {})?,
            slow: Threads::start(threads, "guest-slow", lower_priority)?,
        })
    }

    /// Runs a call among the quick ones until its pace says otherwise.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        pace: Arc<Pace>,
        call: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, JoinError> {
        let quick = WhileQuick {
            call: Some(Box::pin(call)),
            pace,
        };
        match self.quick.run(quick).await? {
            Paced::Ended(result) => Ok(result),
            Paced::Slow(call) => self.slow.run(call).await,
        }
    }

    /// Runs among the slow ones what nobody waits for impatiently.
    pub(crate) fn run_slowly<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> AbortOnDropHandle<T> {
        self.slow.run(work)
    }
}

/// Whether a call still belongs to the quick ones.
#[derive(Debug, Default)]
pub(crate) struct Pace(AtomicBool);

impl Pace {
    /// The pace of a call that is slow from its beginning, or not.
    pub(crate) const fn new(is_slow: bool) -> Self {
        Self(AtomicBool::new(is_slow))
    }

    /// Notes how much CPU time a call has taken so far.
    pub(crate) fn note(&self, cpu_time: Duration) {
        if cpu_time >= QUICK_CPU_TIME {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// Lets the rest of a call be done by slow threads, since it is much.
    pub(crate) async fn slow_down(&self) {
        self.0.store(true, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }

    fn is_slow(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

enum Paced<T> {
    Ended(T),
    /// To be gone on with by slow threads.
    Slow(Work<T>),
}

/// Runs a call until it ends or becomes slow.
struct WhileQuick<T> {
    call: Option<Work<T>>,
    pace: Arc<Pace>,
}

impl<T> Future for WhileQuick<T> {
    type Output = Paced<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut call = this.call.take().expect("not polled after its end");
        if !this.pace.is_slow() {
            if let Poll::Ready(result) = call.as_mut().poll(cx) {
                return Poll::Ready(Paced::Ended(result));
            }
            if !this.pace.is_slow() {
                this.call = Some(call);
                return Poll::Pending;
            }
        }
        // Whoever polls it next is woken instead of us.
        Poll::Ready(Paced::Slow(call))
    }
}

struct Threads(Option<Runtime>);

impl Threads {
    fn start(threads: usize, name: &str, at_start: fn()) -> Result<Self, SandboxError> {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name(name)
            .on_thread_start(at_start)
            .enable_time()
            .build()
            .map(|runtime| Self(Some(runtime)))
            .map_err(SandboxError::Threads)
    }

    /// Dropping what is returned ends the work.
    fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> AbortOnDropHandle<T> {
        let runtime = self.0.as_ref().expect("taken only while it is dropped");
        AbortOnDropHandle::new(runtime.spawn(work))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Dropping a runtime inside another one's task would block and panic.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// On Linux a thread has a priority of its own; elsewhere it would be the process's.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        let ours = getpriority_process(None).unwrap_or(0);
        if let Err(error) = setpriority_process(None, ours + SLOW_NICENESS) {
            tracing::warn!(%error, "guests that compute keep the priority of everything else");
        }
    }
}

/// CPU time that calls of one plugin for one organization may have taken lately and
/// still begin among the quick ones: a fifth of a core or so, when it goes on.
const RECENT_CPU_TIME: Duration = Duration::from_millis(250);

/// In which half of what was taken is forgotten.
const HALF_LIFE: Duration = Duration::from_secs(1);

/// From so many entries on, those that mean nothing any more are removed.
const TIDY_ENTRIES: usize = 1_024;

/// What a CPU time that does not matter any more has become.
const FORGOTTEN: Duration = Duration::from_millis(1);

/// Who asks for what: a plugin's calls of another organization are not to blame.
type Caller = (SourceId, OrganizationId);

/// Who has taken how much CPU time lately.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<HashMap<Caller, Taken>>);

#[derive(Debug, Clone, Copy)]
struct Taken {
    cpu_time: Duration,
    at: Instant,
}

impl Taken {
    fn now(&self, now: Instant) -> Duration {
        let half_lives = now.duration_since(self.at).div_duration_f64(HALF_LIFE);
        self.cpu_time.mul_f64((-half_lives).exp2())
    }
}

impl Recent {
    /// Adds what a call has taken.
    pub(crate) fn add(&self, caller: Caller, cpu_time: Duration) {
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= TIDY_ENTRIES {
            all.retain(|_, taken| taken.now(now) > FORGOTTEN);
        }
        let taken = all.entry(caller).or_insert(Taken {
            cpu_time: Duration::ZERO,
            at: now,
        });
        *taken = Taken {
            cpu_time: taken.now(now) + cpu_time,
            at: now,
        };
    }

    /// The pace at which the next call begins.
    pub(crate) fn pace_of(&self, caller: &Caller) -> Pace {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = all.get(caller).map(|taken| taken.now(Instant::now()));
        Pace::new(taken.is_some_and(|taken| taken > RECENT_CPU_TIME))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn name_of_thread() -> String {
        thread::current().name().unwrap_or_default().to_owned()
    }

    fn caller(organization: &str) -> Caller {
        ("probe".parse().unwrap(), organization.parse().unwrap())
    }

    #[tokio::test]
    async fn a_call_changes_threads_once_it_has_taken_its_share() {
        let threads = GuestThreads::start(1).unwrap();
        let pace = Arc::new(Pace::default());
        let noting = Arc::clone(&pace);
        let names = threads.run(pace, async move {
            let mut names = vec![name_of_thread()];
            for millis in [19, 20] {
                noting.note(Duration::from_millis(millis));
                tokio::task::yield_now().await;
                names.push(name_of_thread());
            }
            names
        });
        assert_eq!(names.await.unwrap(), ["guest", "guest", "guest-slow"]);
    }

    #[tokio::test]
    async fn a_call_that_is_slow_from_the_beginning_begins_there() {
        let threads = GuestThreads::start(1).unwrap();
        let name = threads.run(Arc::new(Pace::new(true)), async { name_of_thread() });
        assert_eq!(name.await.unwrap(), "guest-slow");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn slow_threads_have_a_lower_priority_than_all_others() {
        let priority = || rustix::process::getpriority_process(None).unwrap();
        let threads = GuestThreads::start(1).unwrap();
        let quick = threads.run(Arc::default(), async move { priority() }).await;
        let slow = threads.run_slowly(async move { priority() }).await.unwrap();
        assert_eq!(quick.unwrap(), priority());
        assert_eq!(slow, (priority() + SLOW_NICENESS).min(19));
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_much_is_slow_until_it_is_forgotten() {
        let recent = Recent::default();
        assert!(!recent.pace_of(&caller("a")).is_slow());
        recent.add(caller("a"), RECENT_CPU_TIME);
        assert!(!recent.pace_of(&caller("a")).is_slow());
        recent.add(caller("a"), RECENT_CPU_TIME);
        assert!(recent.pace_of(&caller("a")).is_slow());
        assert!(!recent.pace_of(&caller("b")).is_slow());
        tokio::time::advance(HALF_LIFE).await;
        assert!(!recent.pace_of(&caller("a")).is_slow());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_forgotten_takes_no_memory() {
        let recent = Recent::default();
        for index in 0..TIDY_ENTRIES {
            recent.add(caller(&index.to_string()), Duration::from_millis(5));
        }
        tokio::time::advance(10 * HALF_LIFE).await;
        recent.add(caller("one more"), Duration::from_millis(5));
        assert_eq!(recent.0.lock().unwrap().len(), 1);
    }
}
