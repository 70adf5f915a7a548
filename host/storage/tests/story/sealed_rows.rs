//! Sealed values, of whatever kind.

use portcullis_core::invocation::InvocationStatus::{Completed, Executing, Pending};
use portcullis_storage::{
    Connection, KeyUse, NewInvocation, Sealed, SealedColumn, SealedRow, Storage, StoredResult,
};

use crate::{
    Story,
    fixture::{
        Shared, acme, add_connections, add_invocations, add_sessions, at, connection, globex, id,
        invocation, read_invocation, sealed,
    },
    full_results::stored,
};

fn under(key_id: &str, bytes: &[u8]) -> Sealed {
    Sealed {
        key_id: key_id.to_owned(),
        bytes: bytes.to_owned(),
    }
}

fn connection_under(number: u32, key_id: &str) -> Connection {
    Connection {
        sealed_credential: under(key_id, b"credential"),
        ..connection(number)
    }
}

fn pending_under(number: u32, key_id: &str) -> NewInvocation {
    NewInvocation {
        sealed_params: Some(under(key_id, b"params")),
        ..invocation(number, Pending)
    }
}

async fn add_result_under(
    storage: &dyn Storage,
    number: u32,
    key_id: &str,
) -> Result<(), portcullis_storage::Error> {
    let mut work = storage.write().await?;
    let result = StoredResult {
        sealed: under(key_id, b"result"),
        ..stored(number, 100)
    };
    work.full_results().add(&result).await?;
    work.save().await
}

fn key_use(column: SealedColumn, key_id: &str, rows: u64) -> KeyUse {
    KeyUse {
        column,
        key_id: key_id.to_owned(),
        rows,
    }
}

/// The numbers of a column's rows that are not under a key.
async fn numbers_not_under(
    storage: &dyn Storage,
    column: SealedColumn,
    key_id: &str,
    after: Option<u32>,
    limit: u32,
) -> Result<Vec<u32>, Box<dyn std::error::Error>> {
    let after = after.map(|number| id::<portcullis_core::id::InvocationId>(number).to_string());
    let mut work = storage.read().await?;
    let rows = work
        .sealed_rows()
        .list_not_under(column, key_id, after.as_deref(), limit)
        .await?;
    work.cancel().await?;
    let numbers = rows.iter().map(|row| row.id[row.id.len() - 12..].parse());
    Ok(numbers.collect::<Result<_, _>>()?)
}

/// The first row of a column that is not under a key.
async fn first_not_under(
    storage: &dyn Storage,
    column: SealedColumn,
    key_id: &str,
) -> Result<SealedRow, Box<dyn std::error::Error>> {
    let mut work = storage.read().await?;
    let rows = work
        .sealed_rows()
        .list_not_under(column, key_id, None, 1)
        .await?;
    work.cancel().await?;
    Ok(rows.into_iter().next().ok_or("no such row")?)
}

pub(crate) async fn keys_in_use_are_counted_by_column(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let mut work = storage.read().await?;
    assert_eq!(work.sealed_rows().keys_in_use().await?, []);
    work.cancel().await?;

    let connections = [(1, "b"), (2, "a"), (3, "b")].map(|(n, key)| connection_under(n, key));
    add_connections(&*storage, &connections).await?;
    let without = NewInvocation {
        sealed_params: None,
        ..invocation(14, Executing)
    };
    let invocations = [
        pending_under(11, "a"),
        pending_under(12, "c"),
        invocation(13, Completed),
        without,
    ];
    add_invocations(&*storage, &invocations).await?;
    add_result_under(&*storage, 13, "b").await?;
    let mut work = storage.read().await?;
    let expected = [
        key_use(SealedColumn::Params, "a", 1),
        key_use(SealedColumn::Params, "c", 1),
        key_use(SealedColumn::Credential, "a", 1),
        key_use(SealedColumn::Credential, "b", 2),
        key_use(SealedColumn::FullResult, "b", 1),
    ];
    assert_eq!(work.sealed_rows().keys_in_use().await?, expected);
    Ok(())
}

pub(crate) async fn values_under_other_keys_are_listed_by_id(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let connections =
        [(3, "old"), (1, "old"), (2, "new"), (4, "older")].map(|(n, key)| connection_under(n, key));
    add_connections(&*storage, &connections).await?;
    let invocations = [
        pending_under(11, "old"),
        pending_under(12, "new"),
        invocation(13, Completed),
    ];
    add_invocations(&*storage, &invocations).await?;
    add_result_under(&*storage, 11, "old").await?;
    add_result_under(&*storage, 12, "new").await?;
    add_result_under(&*storage, 13, "older").await?;
    for (column, after, limit, expected) in [
        (SealedColumn::Credential, None, 10, vec![1, 3, 4]),
        (SealedColumn::Credential, None, 2, vec![1, 3]),
        (SealedColumn::Credential, Some(3), 2, vec![4]),
        (SealedColumn::Credential, Some(4), 2, vec![]),
        (SealedColumn::Params, None, 10, vec![11]),
        (SealedColumn::FullResult, None, 10, vec![11, 13]),
        (SealedColumn::FullResult, Some(11), 1, vec![13]),
    ] {
        let listed = numbers_not_under(&*storage, column, "new", after, limit).await?;
        assert_eq!(listed, expected, "{column:?} after {after:?}");
    }
    let row = first_not_under(&*storage, SealedColumn::Params, "new").await?;
    assert_eq!(row.organization_id, acme());
    assert_eq!(row.sealed, under("old", b"params"));
    Ok(())
}

pub(crate) async fn resealing_changes_the_sealed_value_alone(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    add_connections(&*storage, &[connection(1), connection(2)]).await?;
    add_invocations(&*storage, &[invocation(11, Pending)]).await?;
    let mut work = storage.write().await?;
    let key = sealed(b"key");
    work.audit().add_key("1", &acme(), &key, at(0)).await?;
    work.save().await?;
    add_result_under(&*storage, 11, "old").await?;
    let before = read_invocation(&*storage, 11).await?;
    let resealed = under("new", b"other bytes");
    for &column in SealedColumn::ALL {
        let row = first_not_under(&*storage, column, "new").await?;
        let mut work = storage.write().await?;
        assert!(work.sealed_rows().reseal(&row, &resealed).await?);
        work.save().await?;
    }
    let mut work = storage.read().await?;
    let expected = Connection {
        sealed_credential: resealed.clone(),
        ..connection(1)
    };
    assert_eq!(
        work.connections().list(&acme()).await?,
        [expected, connection(2)]
    );
    assert_eq!(read_invocation(&*storage, 11).await?, before);
    let params = first_not_under(&*storage, SealedColumn::Params, "none").await?;
    assert_eq!(params.sealed, resealed);
    Ok(())
}

pub(crate) async fn what_changed_meanwhile_is_not_resealed(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    add_connections(&*storage, &[connection(1)]).await?;
    let row = first_not_under(&*storage, SealedColumn::Credential, "new").await?;
    let resealed = under("new", b"the value of before");
    let mut work = storage.write().await?;
    let elsewhere = SealedRow {
        organization_id: globex(),
        ..row.clone()
    };
    assert!(!work.sealed_rows().reseal(&elsewhere, &resealed).await?);
    work.connections()
        .rotate(id(1), &acme(), &sealed(b"meanwhile"), None, at(5))
        .await?;
    assert!(!work.sealed_rows().reseal(&row, &resealed).await?);
    let found = work.connections().find(id(1), &acme()).await?;
    assert_eq!(
        found.map(|connection| connection.sealed_credential),
        Some(sealed(b"meanwhile"))
    );
    Ok(())
}

pub(crate) async fn params_of_what_ended_meanwhile_stay_gone(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    add_invocations(&*storage, &[invocation(11, Pending)]).await?;
    let row = first_not_under(&*storage, SealedColumn::Params, "new").await?;
    let mut work = storage.write().await?;
    assert_eq!(
        work.invocations().expire_pending(at(300), 10).await?.len(),
        1
    );
    let resealed = under("new", b"the value of before");
    assert!(!work.sealed_rows().reseal(&row, &resealed).await?);
    assert_eq!(work.sealed_rows().keys_in_use().await?, []);
    Ok(())
}
