//! What organizations have reviewed of the actions of a source.
//!
//! The version of a source that is served when an organization first uses it is its
//! `baseline`; whatever the source becomes later is shown beside that ([`show`]) and
//! counts once somebody has confirmed it ([`confirm`]). What it means for modes is in
//! `portcullis_core::modes`, what has become of each action in
//! `portcullis_core::review`.

mod baseline;
mod confirming;

use std::collections::BTreeMap;

use portcullis_core::definition::{DefinitionDocument, DefinitionStamp, Difference, difference};
use portcullis_core::id::{ActionId, ActionKey, OrganizationId, SourceId};
use portcullis_core::modes::{ModeDecision, decide};
use portcullis_core::review::{ReviewStatus, Snapshot, Snapshots, compare};
use portcullis_runtime::{Plugin, PluginAction};
use portcullis_storage::{ActionReview, BoxUnitOfWork};

use crate::error::Error;
use crate::gateway::Gateway;
use crate::modes::StoredModes;

pub(crate) use baseline::{Baseline, begin_open};
pub use baseline::{begin_everywhere, begin_with};
pub use confirming::{Confirmed, MAX_CONFIRMED, confirm};

/// How many entries the differences of one answer have together: ten screens. What
/// is beyond is counted.
const MAX_ENTRIES: usize = 1_000;

/// A source as it was reviewed and as it is.
#[derive(Debug)]
pub struct Review {
    /// The source.
    pub source: SourceId,
    /// Whether all its actions are known: false while it is not served.
    pub complete: bool,
    /// Every action that was reviewed or is served, by id.
    pub actions: Vec<ReviewedAction>,
}

/// An action as it was reviewed and as it is.
#[derive(Debug)]
pub struct ReviewedAction {
    /// The action.
    pub id: ActionId,
    /// What has become of it.
    pub status: ReviewStatus,
    /// What was reviewed, if it was.
    pub reviewed: Option<ActionReview>,
    /// What it is now, if it is served.
    pub current: Option<DefinitionStamp>,
    /// Where the two differ, of one that was renamed where it differs from its former
    /// self; `None` when what was reviewed was not kept.
    pub difference: Option<Difference>,
    /// The mode in force for the organization, if it is served.
    pub decision: Option<ModeDecision>,
}

/// Shows what an organization has reviewed of a source, beside what is served.
///
/// # Errors
///
/// [`Error::NotFound`] when the source is not served, and the organization has
/// reviewed nothing of it.
pub async fn show(
    gateway: &Gateway,
    organization: &OrganizationId,
    source: &SourceId,
) -> Result<Review, Error> {
    let mut work = gateway.storage.read().await?;
    let plugin = gateway.sources.plugin(source);
    read(&mut work, plugin.as_ref(), organization, source).await
}

async fn read(
    work: &mut BoxUnitOfWork,
    plugin: Option<&Plugin>,
    organization: &OrganizationId,
    source: &SourceId,
) -> Result<Review, Error> {
    let reviews = work.reviews().list(organization, source).await?;
    if plugin.is_none() && reviews.is_empty() {
        return Err(Error::NotFound("source"));
    }
    let modes = StoredModes::read(work, organization, None).await?;
    let compared = Compared::new(plugin, reviews);
    Ok(Review {
        source: source.clone(),
        complete: plugin.is_some(),
        actions: compared.into_actions(source, &modes),
    })
}

/// Both sides, and what has become of each action.
struct Compared<'a> {
    plugin: Option<&'a Plugin>,
    reviews: BTreeMap<ActionId, ActionReview>,
    reviewed: Snapshots,
    listed: Snapshots,
}

impl<'a> Compared<'a> {
    fn new(plugin: Option<&'a Plugin>, reviews: Vec<ActionReview>) -> Self {
        let reviewed = reviews.iter().map(|review| {
            let snapshot = Snapshot {
                digests: review.stamp.digests,
                document: review.document.clone(),
            };
            (review.action.clone(), snapshot)
        });
        let listed = plugin.into_iter().flat_map(Plugin::actions).map(|action| {
            let snapshot = Snapshot {
                digests: action.digests,
                document: Some(DefinitionDocument::of(&action.definition)),
            };
            (action.definition.id.clone(), snapshot)
        });
        Self {
            reviewed: reviewed.collect(),
            listed: listed.collect(),
            reviews: reviews
                .into_iter()
                .map(|review| (review.action.clone(), review))
                .collect(),
            plugin,
        }
    }

    fn into_actions(mut self, source: &SourceId, modes: &StoredModes) -> Vec<ReviewedAction> {
        let mut room = MAX_ENTRIES;
        let statuses = compare(&self.reviewed, &self.listed, self.plugin.is_some());
        let actions = statuses.into_iter().map(|(id, status)| {
            let key = ActionKey {
                source: source.clone(),
                action: id.clone(),
            };
            let current = self.plugin.and_then(|plugin| plugin.action(&id));
            let current = current.map(PluginAction::stamp);
            ReviewedAction {
                difference: self.difference(&id, &status, &mut room),
                decision: current.map(|current| decide(&modes.of(&key), current)),
                current,
                reviewed: self.reviews.remove(&id),
                status,
                id,
            }
        });
        actions.collect()
    }

    fn difference(
        &self,
        id: &ActionId,
        status: &ReviewStatus,
        room: &mut usize,
    ) -> Option<Difference> {
        let former = match status {
            ReviewStatus::Changed | ReviewStatus::TextChanged => id,
            ReviewStatus::Renamed { from } => from,
            _ => return Some(Difference::default()),
        };
        let before = self.reviewed.get(former)?.document.as_ref()?;
        let after = self.listed.get(id)?.document.as_ref()?;
        let mut found = difference(before, after);
        let omitted = found.entries.len().saturating_sub(*room);
        found.entries.truncate(*room);
        found.omitted += omitted;
        *room -= found.entries.len();
        Some(found)
    }
}
