//! Listening for the hints of other gateways.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sqlx::postgres::{PgConnectOptions, PgListener};
use tokio::{sync::oneshot, task::JoinHandle, time};

use super::pool;
use crate::{
    Cause,
    hints::{Hint, Hub, Noted},
};

/// The channel that gateways share. It belongs to the database, so that several
/// services on one server do not hear each other.
pub(super) const CHANNEL: &str = "portcullis";

/// A connection on which nothing is heard for so long is asked whether it still
/// works: a peer that lost power says nothing either.
const QUIET: Duration = Duration::from_secs(30);

/// How long the answer to that may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pauses between attempts to connect again double from the one to the other.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A task with a connection of its own, which ends when it is stopped or dropped.
pub(super) struct Listener(Mutex<Option<Task>>);

struct Task {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Listener {
    /// Listens from now on and tells the hub.
    pub(super) async fn start(options: PgConnectOptions, hub: Hub) -> Result<Self, sqlx::Error> {
        let first = connect(&options).await?;
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(async move {
            tokio::select! {
                _ = stopped => {}
                () = forward_forever(first, &options, &hub) => {}
            }
        });
        Ok(Self(Mutex::new(Some(Task { stop, ended }))))
    }

    /// Ends it, if nobody has.
    pub(super) async fn stop(&self) {
        let task = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Task { stop, ended }) = task {
            drop(stop);
            // A panic in it has been reported, and is no reason for another.
            let _ = ended.await;
        }
    }
}

/// A pool of one for each connection: the listener gives a dead one back in its
/// own time, and the next must not wait for that.
async fn connect(options: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    let pool = pool(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_with(options.clone())
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

async fn forward_forever(mut listener: PgListener, options: &PgConnectOptions, hub: &Hub) {
    loop {
        let cause = forward(listener, hub).await;
        tracing::warn!(%cause, "changes made by other gateways are not heard; reconnecting");
        listener = reconnect(options).await;
        tracing::info!("changes made by other gateways are heard again");
        hub.tell(Noted::MissedSome);
    }
}

/// Passes hints on until the connection is lost; why.
async fn forward(mut listener: PgListener, hub: &Hub) -> Cause {
    loop {
        match time::timeout(QUIET, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => {
                if let Some(hint) = Hint::from_payload(notification.payload()) {
                    hub.tell(Noted::Changed(hint));
                }
            }
            Ok(Ok(None)) => return "the server closed the connection".into(),
            Ok(Err(error)) => return error.into(),
            Err(_) => {
                if let Err(cause) = probe(&mut listener).await {
                    return cause;
                }
            }
        }
    }
}

async fn probe(listener: &mut PgListener) -> Result<(), Cause> {
    let asked = sqlx::query("SELECT 1").execute(listener);
    time::timeout(PATIENCE, asked).await??;
    Ok(())
}

async fn reconnect(options: &PgConnectOptions) -> PgListener {
    let mut pause = FIRST_PAUSE;
    loop {
        match connect(options).await {
            Ok(listener) => return listener,
            Err(error) => tracing::debug!(%error, "no connection to listen on yet"),
        }
        time::sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}
