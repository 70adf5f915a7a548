//! What organizations have reviewed of a source's actions.

use async_trait::async_trait;
use portcullis_core::{
    action::Risk,
    definition::{DefinitionDigests, DefinitionDocument, DefinitionStamp},
    id::{ActionId, ActionKey, OrganizationId, SourceId},
    time::Timestamp,
};

use crate::{Error, error::during, read::Table};

/// A definition that somebody reviewed.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionReview {
    /// The action, which need not exist any more.
    pub action: ActionId,
    /// What identifies the definition, and its risk.
    pub stamp: DefinitionStamp,
    /// The definition; `None` when it is not there to be read.
    pub document: Option<DefinitionDocument>,
    /// Who reviewed it, in the words of the caller: a user, the operator, or the
    /// gateway.
    pub reviewed_by: String,
    /// When.
    pub reviewed_at: Timestamp,
}

/// A definition that is reviewed.
#[derive(Debug, Clone, Copy)]
pub struct NewReview<'a> {
    /// The action.
    pub action: &'a ActionId,
    /// Its risk.
    pub risk: Risk,
    /// The definition.
    pub document: &'a DefinitionDocument,
}

/// Organizations that could have reviewed a source and have not.
#[derive(Debug, Clone, Copy)]
pub struct Unreviewed<'a> {
    /// The source.
    pub source: &'a SourceId,
    /// Whether it can be used without a connection; otherwise only those that have
    /// one are meant.
    pub by_everybody: bool,
    /// Those after this one, if given.
    pub after: Option<&'a OrganizationId>,
    /// At most so many.
    pub limit: u32,
}

/// Keeps reviews.
#[async_trait]
pub trait ReviewRepository: Send {
    /// Notes that an organization has reviewed a source; false, changing nothing,
    /// when it had before.
    ///
    /// # Errors
    ///
    /// [`Constraint::Reference`](crate::Constraint::Reference) when there is no such
    /// organization.
    async fn begin(
        &mut self,
        organization: &OrganizationId,
        source: &SourceId,
        by: &str,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// Whether an organization has reviewed a source.
    async fn is_begun(
        &mut self,
        organization: &OrganizationId,
        source: &SourceId,
    ) -> Result<bool, Error>;

    /// Organizations that have not, by id.
    async fn unreviewed(&mut self, query: Unreviewed<'_>) -> Result<Vec<OrganizationId>, Error>;

    /// Keeps these as reviewed, whatever was before.
    async fn put(
        &mut self,
        organization: &OrganizationId,
        source: &SourceId,
        reviews: &[NewReview<'_>],
        by: &str,
        now: Timestamp,
    ) -> Result<(), Error>;

    /// Forgets an action; false when nobody had reviewed it.
    async fn remove(
        &mut self,
        organization: &OrganizationId,
        key: &ActionKey,
    ) -> Result<bool, Error>;

    /// What was reviewed of a source, by action.
    async fn list(
        &mut self,
        organization: &OrganizationId,
        source: &SourceId,
    ) -> Result<Vec<ActionReview>, Error>;

    /// What was reviewed of every source, in no order.
    async fn stamps(
        &mut self,
        organization: &OrganizationId,
    ) -> Result<Vec<(ActionKey, DefinitionStamp)>, Error>;
}

const ACTION_REVIEWS: Table = Table("action_reviews");
const REVIEWED_SOURCES: Table = Table("reviewed_sources");

/// The columns of a stamp.
#[derive(sqlx::FromRow)]
pub(crate) struct StampRow {
    pub(crate) interface_digest: String,
    pub(crate) contract_digest: String,
    pub(crate) risk: String,
}

impl StampRow {
    pub(crate) fn read(&self) -> Result<DefinitionStamp, Error> {
        Ok(DefinitionStamp {
            digests: DefinitionDigests {
                interface: ACTION_REVIEWS.parse("interface_digest", &self.interface_digest)?,
                contract: ACTION_REVIEWS.parse("contract_digest", &self.contract_digest)?,
            },
            // One that this version does not know is no reason to relax.
            risk: Risk::from_name(&self.risk).unwrap_or(Risk::Danger),
        })
    }
}

#[derive(sqlx::FromRow)]
struct ReviewRow {
    action_id: String,
    #[sqlx(flatten)]
    stamp: StampRow,
    definition: Option<String>,
    reviewed_by: String,
    reviewed_at: i64,
}

impl TryFrom<ReviewRow> for ActionReview {
    type Error = Error;

    fn try_from(row: ReviewRow) -> Result<Self, Error> {
        let stamp = row.stamp.read()?;
        let text = row.definition.as_deref();
        let contract = stamp.digests.contract;
        Ok(Self {
            action: ACTION_REVIEWS.parse("action_id", &row.action_id)?,
            document: text.and_then(|text| DefinitionDocument::from_text(text, contract)),
            stamp,
            reviewed_by: row.reviewed_by,
            reviewed_at: ACTION_REVIEWS.time("reviewed_at", row.reviewed_at)?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct KeyedStampRow {
    source_id: String,
    action_id: String,
    #[sqlx(flatten)]
    stamp: StampRow,
}

impl KeyedStampRow {
    fn read(&self) -> Result<(ActionKey, DefinitionStamp), Error> {
        let key = ActionKey {
            source: ACTION_REVIEWS.parse("source_id", &self.source_id)?,
            action: ACTION_REVIEWS.parse("action_id", &self.action_id)?,
        };
        Ok((key, self.stamp.read()?))
    }
}

/// Definitions as they are kept, once each and in one order, so that two units of
/// work that keep the same ones do not wait for each other in turn.
fn definitions(reviews: &[NewReview<'_>]) -> Vec<(String, String)> {
    let text = |it: &NewReview<'_>| {
        let document = it.document;
        (document.digests().contract.to_string(), document.to_text())
    };
    let mut definitions: Vec<_> = reviews.iter().map(text).collect();
    definitions.sort();
    definitions.dedup();
    definitions
}

// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! review_repository {
    ($name:ident, $database:ty) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        impl $name<'_> {
            async fn keep_definitions(&mut self, reviews: &[NewReview<'_>]) -> Result<(), Error> {
                let mut query = sqlx::QueryBuilder::<$database>::new(
                    "INSERT INTO reviewed_definitions (contract_digest, definition) ",
                );
                query.push_values(definitions(reviews), |mut row, (digest, text)| {
                    row.push_bind(digest).push_bind(text);
                });
                query.push(" ON CONFLICT (contract_digest) DO NOTHING");
                query
                    .build()
                    .execute(&mut *self.connection)
                    .await
                    .map(drop)
                    .map_err(during("reviews.keep_definitions"))
            }
        }

        #[async_trait]
        impl ReviewRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.reviews.begin", level = "debug", skip_all,
                fields(organization.id = %organization, source.id = %source)
            )]
            async fn begin(
                &mut self,
                organization: &OrganizationId,
                source: &SourceId,
                by: &str,
                now: Timestamp,
            ) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "INSERT INTO reviewed_sources (organization_id, source_id, begun_by, begun_at)
                     VALUES ($1, $2, $3, $4)
                     ON CONFLICT (organization_id, source_id) DO NOTHING",
                )
                .bind(organization.as_str())
                .bind(source.as_str())
                .bind(by)
                .bind(now.as_micros())
                .execute(&mut *self.connection)
                .await
                .map_err(during("reviews.begin"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.reviews.is_begun", level = "debug", skip_all,
                fields(organization.id = %organization, source.id = %source)
            )]
            async fn is_begun(
                &mut self,
                organization: &OrganizationId,
                source: &SourceId,
            ) -> Result<bool, Error> {
                sqlx::query_scalar::<$database, String>(
                    "SELECT source_id FROM reviewed_sources
                     WHERE organization_id = $1 AND source_id = $2",
                )
                .bind(organization.as_str())
                .bind(source.as_str())
                .fetch_optional(&mut *self.connection)
                .await
                .map(|found| found.is_some())
                .map_err(during("reviews.is_begun"))
            }

            #[tracing::instrument(
                name = "storage.reviews.unreviewed", level = "debug", skip_all,
                fields(source.id = %query.source)
            )]
            async fn unreviewed(
                &mut self,
                query: Unreviewed<'_>,
            ) -> Result<Vec<OrganizationId>, Error> {
                sqlx::query_scalar::<$database, String>(
                    "SELECT o.id FROM organizations AS o
                     WHERE o.id > $1
                         AND NOT EXISTS (
                             SELECT 1 FROM reviewed_sources AS r
                             WHERE r.organization_id = o.id AND r.source_id = $2
                         )
                         AND ($3 OR EXISTS (
                             SELECT 1 FROM integrations AS i
                             WHERE i.organization_id = o.id AND i.provider = $2
                         ))
                     ORDER BY o.id LIMIT $4",
                )
                .bind(query.after.map_or("", OrganizationId::as_str))
                .bind(query.source.as_str())
                .bind(query.by_everybody)
                .bind(i64::from(query.limit))
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("reviews.unreviewed"))?
                .iter()
                .map(|id| REVIEWED_SOURCES.parse("organization_id", id))
                .collect()
            }

            #[tracing::instrument(
                name = "storage.reviews.put", level = "debug", skip_all,
                fields(organization.id = %organization, source.id = %source,
                    reviews = reviews.len())
            )]
            async fn put(
                &mut self,
                organization: &OrganizationId,
                source: &SourceId,
                reviews: &[NewReview<'_>],
                by: &str,
                now: Timestamp,
            ) -> Result<(), Error> {
                if reviews.is_empty() {
                    return Ok(());
                }
                self.keep_definitions(reviews).await?;
                let mut query = sqlx::QueryBuilder::<$database>::new(
                    "INSERT INTO action_reviews
                         (organization_id, source_id, action_id, interface_digest,
                          contract_digest, risk, reviewed_by, reviewed_at) ",
                );
                query.push_values(reviews, |mut row, review| {
                    let digests = review.document.digests();
                    row.push_bind(organization.to_string())
                        .push_bind(source.to_string())
                        .push_bind(review.action.to_string())
                        .push_bind(digests.interface.to_string())
                        .push_bind(digests.contract.to_string())
                        .push_bind(review.risk.as_str())
                        .push_bind(by.to_owned())
                        .push_bind(now.as_micros());
                });
                query.push(
                    " ON CONFLICT (organization_id, source_id, action_id) DO UPDATE
                     SET interface_digest = excluded.interface_digest,
                         contract_digest = excluded.contract_digest, risk = excluded.risk,
                         reviewed_by = excluded.reviewed_by, reviewed_at = excluded.reviewed_at",
                );
                query
                    .build()
                    .execute(&mut *self.connection)
                    .await
                    .map(drop)
                    .map_err(during("reviews.put"))
            }

            #[tracing::instrument(
                name = "storage.reviews.remove", level = "debug", skip_all,
                fields(organization.id = %organization, action = %key)
            )]
            async fn remove(
                &mut self,
                organization: &OrganizationId,
                key: &ActionKey,
            ) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "DELETE FROM action_reviews
                     WHERE organization_id = $1 AND source_id = $2 AND action_id = $3",
                )
                .bind(organization.as_str())
                .bind(key.source.as_str())
                .bind(key.action.as_str())
                .execute(&mut *self.connection)
                .await
                .map_err(during("reviews.remove"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.reviews.list", level = "debug", skip_all,
                fields(organization.id = %organization, source.id = %source)
            )]
            async fn list(
                &mut self,
                organization: &OrganizationId,
                source: &SourceId,
            ) -> Result<Vec<ActionReview>, Error> {
                sqlx::query_as::<$database, ReviewRow>(
                    "SELECT r.action_id, r.interface_digest, r.contract_digest, r.risk,
                         d.definition, r.reviewed_by, r.reviewed_at
                     FROM action_reviews AS r
                     LEFT JOIN reviewed_definitions AS d
                         ON d.contract_digest = r.contract_digest
                     WHERE r.organization_id = $1 AND r.source_id = $2 ORDER BY r.action_id",
                )
                .bind(organization.as_str())
                .bind(source.as_str())
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("reviews.list"))?
                .into_iter()
                .map(ActionReview::try_from)
                .collect()
            }

            #[tracing::instrument(
                name = "storage.reviews.stamps", level = "debug", skip_all,
                fields(organization.id = %organization)
            )]
            async fn stamps(
                &mut self,
                organization: &OrganizationId,
            ) -> Result<Vec<(ActionKey, DefinitionStamp)>, Error> {
                sqlx::query_as::<$database, KeyedStampRow>(
                    "SELECT source_id, action_id, interface_digest, contract_digest, risk
                     FROM action_reviews WHERE organization_id = $1",
                )
                .bind(organization.as_str())
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("reviews.stamps"))?
                .iter()
                .map(KeyedStampRow::read)
                .collect()
            }
        }
    };
}

review_repository!(SqliteReviewRepository, sqlx::Sqlite);
review_repository!(PostgresReviewRepository, sqlx::Postgres);
