//! Which tables a database has, for those who only read and bring nothing further.

use sqlx::migrate::Migrator;

use crate::Error;

/// The migrations that a database went through; both dialects understand it.
pub(crate) const APPLIED: &str = "SELECT version FROM _sqlx_migrations WHERE success";

/// Fails unless these are exactly the migrations of this version.
///
/// # Errors
///
/// [`Error::Newer`] or [`Error::Older`], with the first migration that is too many
/// or missing.
pub(crate) fn check(migrator: &Migrator, applied: &[i64]) -> Result<(), Error> {
    let known: Vec<i64> = migrator.iter().map(|known| known.version).collect();
    if let Some(migration) = applied.iter().copied().find(|it| !known.contains(it)) {
        return Err(Error::Newer { migration });
    }
    let missing = known.into_iter().find(|it| !applied.contains(it));
    missing.map_or(Ok(()), |migration| Err(Error::Older { migration }))
}
