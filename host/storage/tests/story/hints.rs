//! Hints, and what a storage says about itself.

use portcullis_storage::{Hint, HintKind, Noted};

use crate::{Story, fixture::Shared};

fn modes_of_acme() -> Hint {
    Hint {
        kind: HintKind::Modes,
        id: "acme".to_owned(),
    }
}

pub(crate) async fn a_hint_reaches_everybody_who_listens(storage: Shared) -> Story {
    let mut listeners = [storage.hints(), storage.hints()];
    storage.hint(&[modes_of_acme()]).await?;
    for listener in &mut listeners {
        assert_eq!(listener.recv().await?, Noted::Changed(modes_of_acme()));
    }
    Ok(())
}

pub(crate) async fn a_hint_that_nobody_hears_is_no_error(storage: Shared) -> Story {
    storage.hint(&[modes_of_acme()]).await?;
    Ok(())
}

pub(crate) async fn a_hint_is_bounded(storage: Shared) -> Story {
    for id in ["a".repeat(1_025), "a\0".to_owned()] {
        let kind = HintKind::Sessions;
        assert!(storage.hint(&[Hint { kind, id }]).await.is_err());
    }
    Ok(())
}

pub(crate) async fn only_a_shared_database_has_a_clock_of_its_own(storage: Shared) -> Story {
    let has_clock = storage.time().await?.is_some();
    assert_eq!(has_clock, !storage.is_exclusive());
    let kind = if has_clock { "postgres" } else { "sqlite" };
    assert_eq!(storage.kind(), kind);
    Ok(())
}
