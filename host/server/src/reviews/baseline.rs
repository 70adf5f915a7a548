//! What counts as reviewed without anybody looking at it: what a source was when
//! the organization began to use it. It is taken once for each source, and never
//! replaced.

use portcullis_core::audit::{AuditKind, AuditSubject};
use portcullis_core::definition::{DefinitionDocument, DefinitionStamp};
use portcullis_core::id::OrganizationId;
use portcullis_core::time::Timestamp;
use portcullis_runtime::{Plugin, PluginAction};
use portcullis_storage::{BoxUnitOfWork, NewReview, Organization, Unreviewed};
use serde_json::{Map, Value, json};

use crate::audit::{self, GATEWAY, Happened};
use crate::error::Error;
use crate::gateway::Gateway;

/// How many organizations are begun with at once, and locked meanwhile.
const PAGE: u32 = 50;

/// What a source is when an organization begins to use it.
pub(crate) struct Baseline<'a> {
    plugin: &'a Plugin,
    organization: &'a OrganizationId,
    actor: &'a str,
    at: Timestamp,
}

impl<'a> Baseline<'a> {
    /// What it is now, for this organization, because of this actor.
    pub(crate) const fn of(
        plugin: &'a Plugin,
        organization: &'a OrganizationId,
        actor: &'a str,
        at: Timestamp,
    ) -> Self {
        Self {
            plugin,
            organization,
            actor,
            at,
        }
    }

    /// Takes it for reviewed, unless the organization has a baseline of the source
    /// already. The organization is to be locked, or new.
    pub(crate) async fn begin(
        &self,
        gateway: &Gateway,
        work: &mut BoxUnitOfWork,
    ) -> Result<(), Error> {
        let source = &self.plugin.descriptor().id;
        let mut reviews = work.reviews();
        let is_first = reviews
            .begin(self.organization, source, self.actor, self.at)
            .await?;
        if !is_first {
            return Ok(());
        }
        let actions = self.plugin.actions();
        let documents: Vec<_> = actions
            .iter()
            .map(|action| DefinitionDocument::of(&action.definition))
            .collect();
        let all: Vec<_> = actions
            .iter()
            .zip(&documents)
            .map(|(action, document)| new_review(action, document))
            .collect();
        reviews
            .put(self.organization, source, &all, self.actor, self.at)
            .await?;
        drop(reviews);
        self.record(gateway, work).await
    }

    async fn record(&self, gateway: &Gateway, work: &mut BoxUnitOfWork) -> Result<(), Error> {
        let descriptor = self.plugin.descriptor();
        let actions = self.plugin.actions().iter();
        let after: Map<_, _> = actions
            .map(|action| (action.definition.id.to_string(), shown(action.stamp())))
            .collect();
        let happened = Happened {
            organization: Some(self.organization),
            kind: AuditKind::SourceReviewed,
            actor: self.actor,
            subject: AuditSubject::source(&descriptor.id),
            details: json!({
                "baseline": true,
                "version": descriptor.version,
                "pluginDigest": self.plugin.digest().to_string(),
                "before": null,
                "after": after,
            }),
            at: self.at,
        };
        audit::record(gateway, work, happened).await
    }
}

pub(super) fn new_review<'a>(
    action: &'a PluginAction,
    document: &'a DefinitionDocument,
) -> NewReview<'a> {
    NewReview {
        action: &action.definition.id,
        risk: action.definition.risk,
        document,
    }
}

/// What the record keeps of a definition that was reviewed.
pub(super) fn shown(stamp: DefinitionStamp) -> Value {
    json!({
        "digest": stamp.digests.contract.to_string(),
        "interfaceDigest": stamp.digests.interface.to_string(),
        "riskLevel": stamp.risk.as_str(),
    })
}

/// Whether an organization can use a source without connecting it.
fn is_open(plugin: &Plugin) -> bool {
    let descriptor = plugin.descriptor();
    let mut actions = plugin.actions().iter();
    actions.any(|action| !descriptor.needs_connection(action.definition.credential))
}

/// Begins the review of every source that a new organization can use at once.
pub(crate) async fn begin_open(
    gateway: &Gateway,
    work: &mut BoxUnitOfWork,
    organization: &Organization,
) -> Result<(), Error> {
    for plugin in gateway.sources.plugins().iter().filter(|one| is_open(one)) {
        Baseline::of(plugin, &organization.id, GATEWAY, organization.created_at)
            .begin(gateway, work)
            .await?;
    }
    Ok(())
}

/// Begins the reviews that organizations can have and do not: of sources that can
/// be used without a connection and are served for the first time, and of sources
/// that were connected before reviews were kept.
pub async fn begin_everywhere(gateway: &Gateway) -> Result<(), Error> {
    for plugin in gateway.sources.plugins() {
        begin_with(gateway, &plugin).await?;
    }
    Ok(())
}

/// Begins the reviews of one source that organizations can have and do not.
pub async fn begin_with(gateway: &Gateway, plugin: &Plugin) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = unreviewed(gateway, plugin, after.as_ref()).await?;
        begin(gateway, plugin, &page).await?;
        match page.into_iter().last() {
            Some(last) => after = Some(last),
            None => return Ok(()),
        }
    }
}

async fn unreviewed(
    gateway: &Gateway,
    plugin: &Plugin,
    after: Option<&OrganizationId>,
) -> Result<Vec<OrganizationId>, Error> {
    let mut work = gateway.storage.read().await?;
    let query = Unreviewed {
        source: &plugin.descriptor().id,
        by_everybody: is_open(plugin),
        after,
        limit: PAGE,
    };
    Ok(work.reviews().unreviewed(query).await?)
}

/// A page in one transaction. Everything is locked before anything is written, and
/// in one order: definitions are rows of all organizations, so whoever writes one and
/// then waits for a lock could be waited for by whoever has it.
async fn begin(
    gateway: &Gateway,
    plugin: &Plugin,
    organizations: &[OrganizationId],
) -> Result<(), Error> {
    let mut work = gateway.storage.write().await?;
    let now = gateway.clock.now();
    for organization in organizations {
        work.organizations().lock(organization).await?;
    }
    for organization in organizations {
        Baseline::of(plugin, organization, GATEWAY, now)
            .begin(gateway, &mut work)
            .await?;
    }
    Ok(work.save().await?)
}
