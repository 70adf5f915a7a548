//! Plugins: which versions there are, which one serves, and their components.

use async_trait::async_trait;
use portcullis_core::{
    id::SourceId,
    plugin::{PluginDigest, PluginState},
    time::Timestamp,
};

use crate::{
    Error,
    error::during,
    read::{self, Table},
};

/// A version of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginVersion {
    /// Whose version it is.
    pub plugin: SourceId,
    /// Of its component.
    pub digest: PluginDigest,
    /// Semantic version, as the plugin says it.
    pub version: String,
    /// What it is at this moment.
    pub state: PluginState,
    /// Bytes of its component.
    pub size: u64,
    /// Where it came from, in the words of whoever installed it.
    pub origin: String,
    /// The names of the trusted keys that signed it.
    pub signed_by: Vec<String>,
    /// Who installed it last.
    pub installed_by: String,
    /// When.
    pub installed_at: Timestamp,
    /// When it became active last; `None` when it never was.
    pub activated_at: Option<Timestamp>,
    /// The version that was active before it; while it is staged, the one that it was
    /// compared with.
    pub replaced: Option<PluginDigest>,
    /// Why it is in its state.
    pub reason: Option<String>,
    /// Who brought it into its state.
    pub changed_by: String,
    /// When.
    pub changed_at: Timestamp,
    /// What it says about itself: `portcullis_core`'s text of a manifest.
    pub manifest: String,
}

/// A change of a version's state.
#[derive(Debug, Clone, Copy)]
pub struct StateChange<'a> {
    /// What it has to be.
    pub from: PluginState,
    /// What it becomes.
    pub to: PluginState,
    /// Why.
    pub reason: Option<&'a str>,
    /// Who makes the change.
    pub by: &'a str,
    /// When.
    pub at: Timestamp,
}

/// What gateways are to serve as a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedPlugin {
    /// The plugin.
    pub plugin: SourceId,
    /// Grows with every change of what is active.
    pub generation: u64,
    /// The active version; `None` when the plugin was removed.
    pub active: Option<PluginDigest>,
    /// The version that waits for the operator.
    pub staged: Option<PluginDigest>,
}

/// Keeps plugins.
#[async_trait]
pub trait PluginRepository: Send {
    /// Adds a plugin without versions; false, changing nothing, when there is one.
    async fn add(&mut self, plugin: &SourceId, now: Timestamp) -> Result<bool, Error>;

    /// Keeps every other unit of work from changing the plugin until this one ends;
    /// false when there is none.
    ///
    /// Postgres locks the row. SQLite needs no lock: a unit of work that writes
    /// excludes all others.
    async fn lock(&mut self, plugin: &SourceId) -> Result<bool, Error>;

    /// Raises the plugin's generation, and returns it.
    async fn advance(&mut self, plugin: &SourceId) -> Result<u64, Error>;

    /// What is to be served, by plugin.
    async fn served(&mut self) -> Result<Vec<ServedPlugin>, Error>;

    /// Adds a version.
    ///
    /// # Errors
    ///
    /// [`Constraint::Id`](crate::Constraint::Id) when the digest is known;
    /// [`Constraint::Reference`](crate::Constraint::Reference) when there is no such
    /// plugin.
    async fn add_version(&mut self, version: &PluginVersion) -> Result<(), Error>;

    /// Installs a known version anew: origin, signatures and who installed it become
    /// those of this one. Its state stays.
    async fn reinstall(&mut self, version: &PluginVersion) -> Result<(), Error>;

    /// The version with this digest, of whatever plugin.
    async fn find(&mut self, digest: PluginDigest) -> Result<Option<PluginVersion>, Error>;

    /// The version of the plugin that is in this state; of several the one that came
    /// into it last.
    async fn latest(
        &mut self,
        plugin: &SourceId,
        state: PluginState,
    ) -> Result<Option<PluginVersion>, Error>;

    /// The versions of a plugin, the last changed first, at most `limit`. Of two that
    /// changed at once, as in a switch, the active one comes first.
    async fn versions(
        &mut self,
        plugin: &SourceId,
        limit: u32,
    ) -> Result<Vec<PluginVersion>, Error>;

    /// Every version that is not retired: by plugin, and of each the active one, then
    /// the staged one, then those that failed, the last first.
    async fn list(&mut self) -> Result<Vec<PluginVersion>, Error>;

    /// Brings a version from one state into another, and notes when it becomes active;
    /// false, changing nothing, when it is in a third.
    async fn change(
        &mut self,
        digest: PluginDigest,
        change: StateChange<'_>,
    ) -> Result<bool, Error>;

    /// Notes which version was active before this one.
    async fn set_replaced(
        &mut self,
        digest: PluginDigest,
        replaced: Option<PluginDigest>,
    ) -> Result<(), Error>;

    /// Keeps the component of a version; one that is kept stays.
    async fn put_component(&mut self, digest: PluginDigest, component: &[u8]) -> Result<(), Error>;

    /// The component of a version; `None` when it is not kept, or not any more.
    async fn component(&mut self, digest: PluginDigest) -> Result<Option<Vec<u8>>, Error>;

    /// Removes the components of retired and failed versions but for the `keep` that
    /// were changed last; how many.
    async fn prune_components(&mut self, plugin: &SourceId, keep: u32) -> Result<u64, Error>;

    /// How many invocations of the plugin's actions wait for a person, and how many
    /// run.
    async fn in_use(&mut self, plugin: &SourceId, now: Timestamp) -> Result<PluginUse, Error>;
}

/// What a plugin is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PluginUse {
    /// Invocations that wait for a person.
    pub pending: u64,
    /// Invocations that run, at any gateway.
    pub executing: u64,
}

const PLUGINS: Table = Table("plugins");
const PLUGIN_VERSIONS: Table = Table("plugin_versions");

#[derive(sqlx::FromRow)]
struct VersionRow {
    plugin_id: String,
    digest: String,
    version: String,
    state: String,
    size: i64,
    origin: String,
    signed_by: String,
    installed_by: String,
    installed_at: i64,
    activated_at: Option<i64>,
    replaced: Option<String>,
    reason: Option<String>,
    changed_by: String,
    changed_at: i64,
    manifest: String,
}

impl TryFrom<VersionRow> for PluginVersion {
    type Error = Error;

    fn try_from(row: VersionRow) -> Result<Self, Error> {
        let table = PLUGIN_VERSIONS;
        let signed_by = serde_json::from_str(&row.signed_by);
        Ok(Self {
            plugin: table.parse("plugin_id", &row.plugin_id)?,
            digest: table.parse("digest", &row.digest)?,
            version: row.version,
            state: table.name("state", &row.state, PluginState::from_name)?,
            size: row.size.unsigned_abs(),
            origin: row.origin,
            signed_by: signed_by.map_err(|error| table.corrupt("signed_by", error))?,
            installed_by: row.installed_by,
            installed_at: table.time("installed_at", row.installed_at)?,
            activated_at: table.time_optional("activated_at", row.activated_at)?,
            replaced: table.parse_optional("replaced", row.replaced.as_deref())?,
            reason: row.reason,
            changed_by: row.changed_by,
            changed_at: table.time("changed_at", row.changed_at)?,
            manifest: row.manifest,
        })
    }
}

#[derive(sqlx::FromRow)]
struct ServedRow {
    id: String,
    generation: i64,
    active: Option<String>,
    staged: Option<String>,
}

impl TryFrom<ServedRow> for ServedPlugin {
    type Error = Error;

    fn try_from(row: ServedRow) -> Result<Self, Error> {
        Ok(Self {
            plugin: PLUGINS.parse("id", &row.id)?,
            generation: row.generation.unsigned_abs(),
            active: PLUGIN_VERSIONS.parse_optional("digest", row.active.as_deref())?,
            staged: PLUGIN_VERSIONS.parse_optional("digest", row.staged.as_deref())?,
        })
    }
}

macro_rules! versions {
    ($rest:literal) => {
        concat!(
            "SELECT plugin_id, digest, version, state, size, origin, signed_by, installed_by,
                 installed_at, activated_at, replaced, reason, changed_by, changed_at,
                 manifest
             FROM plugin_versions ",
            $rest
        )
    };
}

fn names(signed_by: &[String]) -> String {
    serde_json::Value::from(signed_by).to_string()
}

// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! plugin_repository {
    ($name:ident, $database:ty, lock: $lock:literal) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        #[async_trait]
        impl PluginRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.plugins.add", level = "debug", skip_all,
                fields(source.id = %plugin)
            )]
            async fn add(&mut self, plugin: &SourceId, now: Timestamp) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "INSERT INTO plugins (id, generation, created_at) VALUES ($1, 0, $2)
                     ON CONFLICT (id) DO NOTHING",
                )
                .bind(plugin.as_str())
                .bind(now.as_micros())
                .execute(&mut *self.connection)
                .await
                .map_err(during("plugins.add"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.plugins.lock", level = "debug", skip_all,
                fields(source.id = %plugin)
            )]
            async fn lock(&mut self, plugin: &SourceId) -> Result<bool, Error> {
                sqlx::query_scalar::<$database, String>(concat!(
                    "SELECT id FROM plugins WHERE id = $1",
                    $lock
                ))
                .bind(plugin.as_str())
                .fetch_optional(&mut *self.connection)
                .await
                .map(|row| row.is_some())
                .map_err(during("plugins.lock"))
            }

            #[tracing::instrument(
                name = "storage.plugins.advance", level = "debug", skip_all,
                fields(source.id = %plugin)
            )]
            async fn advance(&mut self, plugin: &SourceId) -> Result<u64, Error> {
                sqlx::query_scalar::<$database, i64>(
                    "UPDATE plugins SET generation = generation + 1 WHERE id = $1
                     RETURNING generation",
                )
                .bind(plugin.as_str())
                .fetch_one(&mut *self.connection)
                .await
                .map(i64::unsigned_abs)
                .map_err(during("plugins.advance"))
            }

            #[tracing::instrument(name = "storage.plugins.served", level = "debug", skip_all)]
            async fn served(&mut self) -> Result<Vec<ServedPlugin>, Error> {
                sqlx::query_as::<$database, ServedRow>(
                    "SELECT p.id, p.generation, a.digest AS active, s.digest AS staged
                     FROM plugins AS p
                     LEFT JOIN plugin_versions AS a
                         ON a.plugin_id = p.id AND a.state = 'active'
                     LEFT JOIN plugin_versions AS s
                         ON s.plugin_id = p.id AND s.state = 'staged'
                     ORDER BY p.id",
                )
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("plugins.served"))?
                .into_iter()
                .map(ServedPlugin::try_from)
                .collect()
            }

            #[tracing::instrument(
                name = "storage.plugins.add_version", level = "debug", skip_all,
                fields(source.id = %version.plugin, plugin.digest = %version.digest)
            )]
            async fn add_version(&mut self, version: &PluginVersion) -> Result<(), Error> {
                sqlx::query::<$database>(
                    "INSERT INTO plugin_versions (plugin_id, digest, version, state, size, origin,
                         signed_by, installed_by, installed_at, replaced, reason, changed_by,
                         changed_at, manifest, activated_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
                         $15)",
                )
                .bind(version.plugin.as_str())
                .bind(version.digest.to_string())
                .bind(&version.version)
                .bind(version.state.as_str())
                .bind(i64::try_from(version.size).unwrap_or(i64::MAX))
                .bind(&version.origin)
                .bind(names(&version.signed_by))
                .bind(&version.installed_by)
                .bind(version.installed_at.as_micros())
                .bind(version.replaced.map(|digest| digest.to_string()))
                .bind(&version.reason)
                .bind(&version.changed_by)
                .bind(version.changed_at.as_micros())
                .bind(&version.manifest)
                .bind(version.activated_at.map(Timestamp::as_micros))
                .execute(&mut *self.connection)
                .await
                .map(drop)
                .map_err(during("plugins.add_version"))
            }

            #[tracing::instrument(
                name = "storage.plugins.reinstall", level = "debug", skip_all,
                fields(source.id = %version.plugin, plugin.digest = %version.digest)
            )]
            async fn reinstall(&mut self, version: &PluginVersion) -> Result<(), Error> {
                sqlx::query::<$database>(
                    "UPDATE plugin_versions SET origin = $2, signed_by = $3, installed_by = $4,
                         installed_at = $5, manifest = $6
                     WHERE digest = $1",
                )
                .bind(version.digest.to_string())
                .bind(&version.origin)
                .bind(names(&version.signed_by))
                .bind(&version.installed_by)
                .bind(version.installed_at.as_micros())
                .bind(&version.manifest)
                .execute(&mut *self.connection)
                .await
                .map(drop)
                .map_err(during("plugins.reinstall"))
            }

            #[tracing::instrument(
                name = "storage.plugins.find", level = "debug", skip_all,
                fields(plugin.digest = %digest)
            )]
            async fn find(&mut self, digest: PluginDigest) -> Result<Option<PluginVersion>, Error> {
                sqlx::query_as::<$database, VersionRow>(versions!("WHERE digest = $1"))
                    .bind(digest.to_string())
                    .fetch_optional(&mut *self.connection)
                    .await
                    .map_err(during("plugins.find"))?
                    .map(PluginVersion::try_from)
                    .transpose()
            }

            #[tracing::instrument(
                name = "storage.plugins.latest", level = "debug", skip_all,
                fields(source.id = %plugin, %state)
            )]
            async fn latest(
                &mut self,
                plugin: &SourceId,
                state: PluginState,
            ) -> Result<Option<PluginVersion>, Error> {
                sqlx::query_as::<$database, VersionRow>(versions!(
                    "WHERE plugin_id = $1 AND state = $2 ORDER BY changed_at DESC, digest LIMIT 1"
                ))
                .bind(plugin.as_str())
                .bind(state.as_str())
                .fetch_optional(&mut *self.connection)
                .await
                .map_err(during("plugins.latest"))?
                .map(PluginVersion::try_from)
                .transpose()
            }

            #[tracing::instrument(
                name = "storage.plugins.versions", level = "debug", skip_all,
                fields(source.id = %plugin)
            )]
            async fn versions(
                &mut self,
                plugin: &SourceId,
                limit: u32,
            ) -> Result<Vec<PluginVersion>, Error> {
                sqlx::query_as::<$database, VersionRow>(versions!(
                    "WHERE plugin_id = $1
                     ORDER BY changed_at DESC,
                         CASE state WHEN 'active' THEN 0 WHEN 'staged' THEN 1 ELSE 2 END,
                         digest
                     LIMIT $2"
                ))
                .bind(plugin.as_str())
                .bind(i64::from(limit))
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("plugins.versions"))?
                .into_iter()
                .map(PluginVersion::try_from)
                .collect()
            }

            #[tracing::instrument(name = "storage.plugins.list", level = "debug", skip_all)]
            async fn list(&mut self) -> Result<Vec<PluginVersion>, Error> {
                sqlx::query_as::<$database, VersionRow>(versions!(
                    "WHERE state <> 'retired'
                     ORDER BY plugin_id,
                         CASE state WHEN 'active' THEN 0 WHEN 'staged' THEN 1 ELSE 2 END,
                         changed_at DESC, digest"
                ))
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("plugins.list"))?
                .into_iter()
                .map(PluginVersion::try_from)
                .collect()
            }

            #[tracing::instrument(
                name = "storage.plugins.change", level = "debug", skip_all,
                fields(plugin.digest = %digest, from = %change.from, to = %change.to)
            )]
            async fn change(
                &mut self,
                digest: PluginDigest,
                change: StateChange<'_>,
            ) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "UPDATE plugin_versions
                     SET state = $3, reason = $4, changed_by = $5, changed_at = $6,
                         activated_at = CASE WHEN $3 = 'active' THEN $6 ELSE activated_at END
                     WHERE digest = $1 AND state = $2",
                )
                .bind(digest.to_string())
                .bind(change.from.as_str())
                .bind(change.to.as_str())
                .bind(change.reason)
                .bind(change.by)
                .bind(change.at.as_micros())
                .execute(&mut *self.connection)
                .await
                .map_err(during("plugins.change"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.plugins.set_replaced", level = "debug", skip_all,
                fields(plugin.digest = %digest)
            )]
            async fn set_replaced(
                &mut self,
                digest: PluginDigest,
                replaced: Option<PluginDigest>,
            ) -> Result<(), Error> {
                sqlx::query::<$database>(
                    "UPDATE plugin_versions SET replaced = $2 WHERE digest = $1",
                )
                .bind(digest.to_string())
                .bind(replaced.map(|digest| digest.to_string()))
                .execute(&mut *self.connection)
                .await
                .map(drop)
                .map_err(during("plugins.set_replaced"))
            }

            #[tracing::instrument(
                name = "storage.plugins.put_component", level = "debug", skip_all,
                fields(plugin.digest = %digest)
            )]
            async fn put_component(
                &mut self,
                digest: PluginDigest,
                component: &[u8],
            ) -> Result<(), Error> {
                sqlx::query::<$database>(
                    "INSERT INTO plugin_artifacts (digest, component) VALUES ($1, $2)
                     ON CONFLICT (digest) DO NOTHING",
                )
                .bind(digest.to_string())
                .bind(component)
                .execute(&mut *self.connection)
                .await
                .map(drop)
                .map_err(during("plugins.put_component"))
            }

            #[tracing::instrument(
                name = "storage.plugins.component", level = "debug", skip_all,
                fields(plugin.digest = %digest)
            )]
            async fn component(&mut self, digest: PluginDigest) -> Result<Option<Vec<u8>>, Error> {
                sqlx::query_scalar::<$database, Vec<u8>>(
                    "SELECT component FROM plugin_artifacts WHERE digest = $1",
                )
                .bind(digest.to_string())
                .fetch_optional(&mut *self.connection)
                .await
                .map_err(during("plugins.component"))
            }

            #[tracing::instrument(
                name = "storage.plugins.prune_components", level = "debug", skip_all,
                fields(source.id = %plugin)
            )]
            async fn prune_components(
                &mut self,
                plugin: &SourceId,
                keep: u32,
            ) -> Result<u64, Error> {
                let done = sqlx::query::<$database>(
                    "DELETE FROM plugin_artifacts WHERE digest IN (
                         SELECT digest FROM plugin_versions
                         WHERE plugin_id = $1 AND state IN ('retired', 'failed')
                             AND digest NOT IN (SELECT digest FROM plugin_versions
                                 WHERE plugin_id = $1 AND state IN ('retired', 'failed')
                                 ORDER BY changed_at DESC, digest LIMIT $2))",
                )
                .bind(plugin.as_str())
                .bind(i64::from(keep))
                .execute(&mut *self.connection)
                .await
                .map_err(during("plugins.prune_components"))?;
                Ok(done.rows_affected())
            }

            #[tracing::instrument(
                name = "storage.plugins.in_use", level = "debug", skip_all,
                fields(source.id = %plugin)
            )]
            async fn in_use(
                &mut self,
                plugin: &SourceId,
                now: Timestamp,
            ) -> Result<PluginUse, Error> {
                let (pending, executing) = sqlx::query_as::<$database, (i64, i64)>(
                    "SELECT COUNT(CASE WHEN status = 'pending' THEN 1 END),
                         COUNT(CASE WHEN status = 'executing' THEN 1 END)
                     FROM action_invocations
                     WHERE integration = $1 AND (status = 'executing'
                         OR (status = 'pending' AND expires_at > $2))",
                )
                .bind(plugin.as_str())
                .bind(now.as_micros())
                .fetch_one(&mut *self.connection)
                .await
                .map_err(during("plugins.in_use"))?;
                Ok(PluginUse {
                    pending: read::count(pending),
                    executing: read::count(executing),
                })
            }
        }
    };
}

plugin_repository!(SqlitePluginRepository, sqlx::Sqlite, lock: "");
plugin_repository!(PostgresPluginRepository, sqlx::Postgres, lock: " FOR UPDATE");
