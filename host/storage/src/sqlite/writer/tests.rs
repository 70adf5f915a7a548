use std::{
    future::poll_fn,
    path::PathBuf,
    pin::{Pin, pin},
    task::Poll,
};

use sqlx::Connection as _;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::*;

/// No group ends because time passes.
const PATIENT: Limits = Limits {
    patience: Duration::from_mins(10),
    saves: 64,
    age: Duration::from_hours(1),
};

/// A writer on a table of numbers.
struct Numbers {
    writer: Arc<Writer>,
    directory: TempDir,
}

type Write = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

impl Numbers {
    async fn open(limits: Limits) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("numbers.db");
        let file = Arc::new(DatabaseFile::open(path.to_str().unwrap()).unwrap());
        let options = super::super::connect_options(
            &file,
            &super::super::SqliteOptions {
                busy_timeout: Duration::from_millis(10),
                ..Default::default()
            },
        );
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql("CREATE TABLE numbers (id INTEGER PRIMARY KEY)")
            .execute(&mut connection)
            .await
            .unwrap();
        let writer = Writer::new(connection, options, file, limits);
        Self {
            writer: Arc::new(writer),
            directory,
        }
    }

    async fn turn(&self) -> Turn {
        self.writer.turn().await.unwrap()
    }

    /// Somebody who stands in the queue to add a number.
    async fn queued(&self, number: i64) -> Write {
        let writer = Arc::clone(&self.writer);
        let mut write: Write = Box::pin(async move {
            let mut turn = writer.turn().await?;
            add(&mut turn, number).await;
            turn.save().await
        });
        assert!(is_pending(&mut write).await, "the turn was free");
        write
    }

    /// What a reader sees.
    async fn stored(&self) -> Vec<i64> {
        numbers(&mut self.outsider().await).await
    }

    async fn outsider(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path("numbers.db"));
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    /// How many commits the log holds. The last page of each says how large the
    /// database is; the others say 0.
    fn commits(&self) -> usize {
        const HEADER: usize = 32;
        const FRAME: usize = 24 + 4096;
        let log = std::fs::read(self.path("numbers.db-wal")).unwrap();
        let frames = log[HEADER..].chunks_exact(FRAME);
        frames.filter(|frame| frame[4..8] != [0; 4]).count()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

async fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context).is_pending())).await
}

async fn run(sql: &'static str, connection: &mut SqliteConnection) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

async fn add(connection: &mut SqliteConnection, number: i64) {
    sqlx::query("INSERT INTO numbers (id) VALUES ($1)")
        .bind(number)
        .execute(connection)
        .await
        .unwrap();
}

async fn numbers(connection: &mut SqliteConnection) -> Vec<i64> {
    sqlx::query_scalar("SELECT id FROM numbers ORDER BY id")
        .fetch_all(connection)
        .await
        .unwrap()
}

#[track_caller]
fn assert_unavailable(result: &Result<(), Error>) {
    assert!(
        matches!(result, Err(Error::Unavailable { .. })),
        "{result:?}"
    );
}

/// Holds the turn while others queue, lets all of them save, and counts.
async fn commits_of_saves(others: i64, limits: Limits) -> usize {
    let numbers = Numbers::open(limits).await;
    let mut first = numbers.turn().await;
    add(&mut first, 0).await;
    let mut saves = JoinSet::new();
    for number in 1..=others {
        saves.spawn(numbers.queued(number).await);
    }
    let before = numbers.commits();
    first.save().await.unwrap();
    for saved in saves.join_all().await {
        saved.unwrap();
    }
    assert_eq!(numbers.stored().await, (0..=others).collect::<Vec<_>>());
    numbers.commits() - before
}

#[tokio::test]
async fn writers_that_wait_share_a_commit() {
    assert_eq!(commits_of_saves(16, PATIENT).await, 1);
}

#[tokio::test]
async fn a_writer_that_is_alone_commits_at_once() {
    assert_eq!(commits_of_saves(0, PATIENT).await, 1);
}

#[tokio::test]
async fn a_group_has_a_number_and_an_age() {
    let saves = 4;
    assert_eq!(commits_of_saves(10, Limits { saves, ..PATIENT }).await, 3);
    let age = Duration::ZERO;
    assert_eq!(commits_of_saves(10, Limits { age, ..PATIENT }).await, 11);
}

type Saving = JoinHandle<Result<(), Error>>;

impl Numbers {
    /// A group in which 1 has been saved and somebody else has the turn.
    async fn shared(&self) -> (Saving, Turn) {
        let mut first = self.turn().await;
        let mut second = pin!(self.writer.turn());
        assert!(is_pending(&mut second).await);
        add(&mut first, 1).await;
        let first = tokio::spawn(first.save());
        (first, second.await.unwrap())
    }

    /// Fails unless the next writer succeeds, and its number is all there is.
    async fn assert_begins_anew(&self) {
        let mut next = self.turn().await;
        add(&mut next, 9).await;
        next.save().await.unwrap();
        assert_eq!(self.stored().await, [9]);
    }
}

#[tokio::test]
async fn a_turn_sees_what_was_saved_before_it_and_a_reader_does_not() {
    let all = Numbers::open(PATIENT).await;
    let (first, mut second) = all.shared().await;
    assert_eq!(numbers(&mut second).await, [1]);
    assert!(all.stored().await.is_empty());
    assert!(!first.is_finished(), "told before the commit");
    add(&mut second, 2).await;
    second.save().await.unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(all.stored().await, [1, 2]);
}

#[tokio::test]
async fn saving_makes_certain_what_a_turn_only_read() {
    let all = Numbers::open(PATIENT).await;
    let (_first, mut second) = all.shared().await;
    assert_eq!(numbers(&mut second).await, [1]);
    second.save().await.unwrap();
    assert_eq!(all.stored().await, [1]);
}

#[tokio::test]
async fn what_is_cancelled_takes_nothing_else_along() {
    let all = Numbers::open(PATIENT).await;
    let (first, mut second) = all.shared().await;
    let third = tokio::spawn(all.queued(3).await);
    add(&mut second, 2).await;
    drop(second);
    first.await.unwrap().unwrap();
    third.await.unwrap().unwrap();
    assert_eq!(all.stored().await, [1, 3]);
}

#[tokio::test]
async fn who_cancels_last_lets_the_others_be_committed() {
    let all = Numbers::open(PATIENT).await;
    let (first, mut second) = all.shared().await;
    add(&mut second, 2).await;
    drop(second);
    first.await.unwrap().unwrap();
    assert_eq!(all.stored().await, [1]);
}

#[tokio::test]
async fn a_turn_that_is_cancelled_alone_leaves_no_trace() {
    let all = Numbers::open(PATIENT).await;
    let mut turn = all.turn().await;
    add(&mut turn, 1).await;
    drop(turn);
    all.assert_begins_anew().await;
}

#[tokio::test]
async fn a_panic_cancels() {
    let all = Numbers::open(PATIENT).await;
    let (first, mut second) = all.shared().await;
    let panicking = tokio::spawn(async move {
        add(&mut second, 2).await;
        panic!("on purpose");
    });
    assert!(panicking.await.unwrap_err().is_panic());
    first.await.unwrap().unwrap();
    assert_eq!(all.stored().await, [1]);
}

#[tokio::test]
async fn a_save_that_nobody_waits_for_any_more_strands_nobody() {
    let all = Numbers::open(PATIENT).await;
    let (first, mut second) = all.shared().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    add(&mut second, 2).await;
    second.save().await.unwrap();
    // It had been saved; only the answer was not wanted.
    assert_eq!(all.stored().await, [1, 2]);
}

#[tokio::test]
async fn a_turn_that_nobody_takes_goes_to_the_next() {
    let all = Numbers::open(PATIENT).await;
    let first = all.turn().await;
    let given_up = all.queued(2).await;
    let third = tokio::spawn(all.queued(3).await);
    drop(given_up);
    first.save().await.unwrap();
    third.await.unwrap().unwrap();
    assert_eq!(all.stored().await, [3]);
}

#[tokio::test]
async fn a_commit_that_fails_fails_for_the_whole_group() {
    let all = Numbers::open(PATIENT).await;
    let deferred = "CREATE TABLE notes (number INTEGER REFERENCES numbers DEFERRABLE \
                    INITIALLY DEFERRED)";
    run(deferred, &mut all.outsider().await).await;
    let (first, mut second) = all.shared().await;
    run("INSERT INTO notes VALUES (99)", &mut second).await;
    assert_unavailable(&second.save().await);
    assert_unavailable(&first.await.unwrap());
    all.assert_begins_anew().await;
}

#[tokio::test]
async fn when_the_database_ends_the_transaction_nothing_of_the_group_is_written() {
    for is_saved in [true, false] {
        for somebody_waits in [true, false] {
            let all = Numbers::open(PATIENT).await;
            let (first, mut second) = all.shared().await;
            let third = if somebody_waits {
                Some(tokio::spawn(all.queued(3).await))
            } else {
                None
            };
            // As SQLite does by itself when it fails badly.
            run("ROLLBACK", &mut second).await;
            if is_saved {
                assert_unavailable(&second.save().await);
            } else {
                drop(second);
            }
            assert_unavailable(&first.await.unwrap());
            match third {
                Some(third) => {
                    third.await.unwrap().unwrap();
                    assert_eq!(all.stored().await, [3]);
                }
                None => all.assert_begins_anew().await,
            }
        }
    }
}

#[tokio::test]
async fn everybody_who_waits_hears_that_the_database_cannot_be_used() {
    let all = Numbers::open(PATIENT).await;
    let mut outsider = all.outsider().await;
    run("BEGIN IMMEDIATE", &mut outsider).await;
    let writes = [all.queued(1).await, all.queued(2).await];
    for write in writes {
        assert_unavailable(&write.await);
    }
    run("COMMIT", &mut outsider).await;
    all.assert_begins_anew().await;
}

#[tokio::test]
async fn waiting_has_an_end() {
    let patience = Duration::from_millis(50);
    let all = Numbers::open(Limits {
        patience,
        ..PATIENT
    })
    .await;
    let first = all.turn().await;
    assert_unavailable(&all.writer.turn().await.map(drop));
    drop(first);
    all.assert_begins_anew().await;
}

#[tokio::test]
async fn closing_waits_for_those_who_wait() {
    let all = Numbers::open(PATIENT).await;
    let (first, second) = all.shared().await;
    let third = tokio::spawn(all.queued(3).await);
    let mut close = pin!(all.writer.close());
    assert!(is_pending(&mut close).await);
    second.save().await.unwrap();
    close.await;
    assert_unavailable(&all.writer.turn().await.map(drop));
    first.await.unwrap().unwrap();
    third.await.unwrap().unwrap();
    assert_eq!(all.stored().await, [1, 3]);
}

/// Somebody who stands in the queue to add a number with a single statement.
async fn queued_single(numbers: &Numbers, number: i64) -> Write {
    let writer = Arc::clone(&numbers.writer);
    let mut write: Write = Box::pin(async move {
        let mut turn = writer.single().await?;
        add(&mut turn, number).await;
        turn.save().await
    });
    assert!(is_pending(&mut write).await, "the turn was free");
    write
}

#[tokio::test]
async fn a_single_statement_is_a_transaction_by_itself() {
    let numbers = Numbers::open(PATIENT).await;
    let before = numbers.commits();
    let mut turn = numbers.writer.single().await.unwrap();
    add(&mut turn, 1).await;
    // Nobody has saved yet.
    assert_eq!(numbers.stored().await, [1]);
    turn.save().await.unwrap();
    assert_eq!(numbers.commits(), before + 1);
}

#[tokio::test]
async fn a_single_statement_among_others_shares_their_commit() {
    let numbers = Numbers::open(PATIENT).await;
    let before = numbers.commits();
    let mut first = numbers.turn().await;
    let second = queued_single(&numbers, 2).await;
    let third = queued_single(&numbers, 3).await;
    add(&mut first, 1).await;
    let (first, second, third) = tokio::join!(first.save(), second, third);
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    assert_eq!(numbers.stored().await, [1, 2, 3]);
    assert_eq!(numbers.commits(), before + 1);
}

#[tokio::test]
async fn after_a_single_statement_that_failed_others_go_on() {
    let numbers = Numbers::open(PATIENT).await;
    let mut turn = numbers.writer.single().await.unwrap();
    let failed = sqlx::query("INSERT INTO numbers (id) VALUES ('one')");
    failed.execute(&mut *turn).await.unwrap_err();
    drop(turn);
    let mut turn = numbers.turn().await;
    add(&mut turn, 2).await;
    turn.save().await.unwrap();
    assert_eq!(numbers.stored().await, [2]);
}

#[tokio::test]
async fn a_single_statement_waits_for_no_lock_beyond_its_patience() {
    let numbers = Numbers::open(PATIENT).await;
    let mut outsider = numbers.outsider().await;
    run("BEGIN IMMEDIATE", &mut outsider).await;
    let mut turn = numbers.writer.single().await.unwrap();
    let refused = sqlx::query("INSERT INTO numbers (id) VALUES (1)");
    refused.execute(&mut *turn).await.unwrap_err();
    drop(turn);
    run("ROLLBACK", &mut outsider).await;
    let mut turn = numbers.writer.single().await.unwrap();
    add(&mut turn, 2).await;
    turn.save().await.unwrap();
    assert_eq!(numbers.stored().await, [2]);
}
