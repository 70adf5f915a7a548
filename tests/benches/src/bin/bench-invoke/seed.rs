//! Fills the gateway: a connection to the fake, sessions and their tokens.

use portcullis_benches::fake::Fake;
use portcullis_benches::gateway::Gateway;
use portcullis_benches::operator::{Operator, Session};

/// What was made, as far as the load needs it.
pub(crate) struct Seeded {
    /// Each session's id and its agent's token.
    pub(crate) sessions: Vec<Session>,
}

/// Makes everything. `list_issues` reads, so it is allowed without more.
pub(crate) async fn seed(
    gateway: &Gateway,
    fake: &Fake,
    sessions: usize,
) -> anyhow::Result<Seeded> {
    let mut operator = Operator::at(gateway).await?;
    let linear = operator.connect(fake).await?;
    let mut seeded = Seeded {
        sessions: Vec::new(),
    };
    for _ in 0..sessions {
        seeded
            .sessions
            .push(operator.open_session(&[&linear]).await?);
    }
    Ok(seeded)
}
