//! Confirming: what a person has seen is what counts as reviewed from now on.

use std::collections::BTreeSet;

use portcullis_core::audit::{AuditKind, AuditSubject};
use portcullis_core::canonical::JsonDigest;
use portcullis_core::definition::{DefinitionDigests, DefinitionDocument};
use portcullis_core::id::{ActionId, ActionKey, OrganizationId, SourceId};
use portcullis_core::time::Timestamp;
use portcullis_runtime::{Plugin, PluginAction};
use portcullis_storage::{ActionReview, BoxUnitOfWork, HintKind, ModeScope};
use serde_json::{Map, Value, json};

use super::baseline::{new_review, shown};
use super::{Review, show};
use crate::access::Actor;
use crate::audit::{self, Change};
use crate::error::Error;
use crate::gateway::Gateway;

/// How many actions are confirmed at once: as many as a source may have, and as many
/// that it had.
pub const MAX_CONFIRMED: usize = 512;

/// An action as somebody saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The action.
    pub id: ActionId,
    /// The contract digest of its definition; `None`: that it is gone.
    pub seen: Option<JsonDigest>,
}

/// Takes definitions for reviewed as they were seen, all or none, and with them the
/// modes that were set for what had been reviewed: from now on they hold for what was
/// confirmed. A mode that was set for anything else, or for what nobody had seen, is
/// to be set again. What is gone is forgotten; should it come back, it is new, also
/// to its modes.
///
/// # Errors
///
/// [`Error::NotFound`] as [`show`](super::show) has it, [`Error::DefinitionChanged`]
/// when an action is not what was seen, [`Error::InvalidField`] when there is no such
/// action, or when nobody knows whether it is gone.
pub async fn confirm(
    gateway: &Gateway,
    actor: &Actor,
    organization: &OrganizationId,
    source: &SourceId,
    confirmed: &[Confirmed],
) -> Result<Review, Error> {
    check(confirmed)?;
    let mut work = gateway.storage.write().await?;
    // Deciders rely on reviews and modes; none sees these half.
    work.organizations().lock(organization).await?;
    let reviews = work.reviews().list(organization, source).await?;
    let plugin = gateway.sources.plugin(source);
    let confirming = Confirming {
        gateway,
        actor,
        organization,
        source,
        plugin: plugin.as_ref(),
        reviews,
        now: gateway.clock.now(),
    };
    let done = confirming.run(&mut work, confirmed).await;
    let owners = match done {
        Err(failed @ Error::Storage(_)) => return Err(failed),
        done => {
            // Also what was refused rests on what others may not have committed yet.
            work.save().await?;
            done?
        }
    };
    gateway.hint(HintKind::Reviews, organization.as_str()).await;
    for owner in owners {
        gateway.hint(HintKind::Modes, &owner).await;
    }
    tracing::info!(
        organizationId = %organization,
        sourceId = %source,
        actions = confirmed.len(),
        actor = actor.as_str(),
        "definitions confirmed"
    );
    // Not within the transaction, for which others wait: to compare takes time.
    show(gateway, organization, source).await
}

/// Refuses what no listing could have shown.
fn check(confirmed: &[Confirmed]) -> Result<(), Error> {
    let refuse = |path: String, rule, message: &str| {
        Err(Error::InvalidField {
            path,
            rule,
            message: message.to_owned(),
        })
    };
    if confirmed.is_empty() {
        let message = "name at least one action, with the digest that was shown";
        return refuse("/actions".to_owned(), "minItems", message);
    }
    if confirmed.len() > MAX_CONFIRMED {
        let message = format!("at most {MAX_CONFIRMED} actions are confirmed at once");
        return refuse("/actions".to_owned(), "maxItems", &message);
    }
    let mut ids = BTreeSet::new();
    for (index, Confirmed { id, .. }) in confirmed.iter().enumerate() {
        if !ids.insert(id) {
            let path = format!("/actions/{index}/id");
            return refuse(path, "unique", &format!("`{id}` is named twice"));
        }
    }
    Ok(())
}

/// A confirmation under way, with the organization locked.
struct Confirming<'a> {
    gateway: &'a Gateway,
    actor: &'a Actor,
    organization: &'a OrganizationId,
    source: &'a SourceId,
    plugin: Option<&'a Plugin>,
    /// What was reviewed until now.
    reviews: Vec<ActionReview>,
    now: Timestamp,
}

/// What one of them comes to.
enum Act<'a> {
    Keep(&'a PluginAction),
    Forget(&'a ActionId),
}

/// A mode that holds for another definition than before.
struct Repinned {
    key: ActionKey,
    scope: ModeScope,
    before: Option<DefinitionDigests>,
    /// `None`: for none that anybody has seen.
    after: Option<DefinitionDigests>,
}

impl<'a> Confirming<'a> {
    /// Whose modes were touched.
    async fn run(
        &self,
        work: &mut BoxUnitOfWork,
        confirmed: &'a [Confirmed],
    ) -> Result<BTreeSet<String>, Error> {
        if self.plugin.is_none() && self.reviews.is_empty() {
            return Err(Error::NotFound("source"));
        }
        let acts: Vec<_> = confirmed
            .iter()
            .enumerate()
            .map(|(index, confirmed)| self.act(index, confirmed))
            .collect::<Result<_, _>>()?;
        self.keep(work, &acts).await?;
        let repinned = self.repin(work, &acts).await?;
        self.record(work, &acts, &repinned).await?;
        Ok(repinned.iter().map(|it| it.scope.owner()).collect())
    }

    fn key(&self, action: &ActionId) -> ActionKey {
        ActionKey {
            source: self.source.clone(),
            action: action.clone(),
        }
    }

    fn reviewed(&self, action: &ActionId) -> Option<&ActionReview> {
        self.reviews.iter().find(|review| review.action == *action)
    }

    /// Holds what was seen against what is.
    fn act(&self, index: usize, confirmed: &'a Confirmed) -> Result<Act<'a>, Error>
    where
        Self: 'a,
    {
        let Confirmed { id, seen } = confirmed;
        let current = self.plugin.and_then(|plugin| plugin.action(id));
        let refuse = |field: &str, rule, message: String| {
            Err(Error::InvalidField {
                path: format!("/actions/{index}/{field}"),
                rule,
                message,
            })
        };
        let source = self.source;
        match (current, seen) {
            (Some(current), Some(seen)) if current.digests.contract == *seen => {
                Ok(Act::Keep(current))
            }
            (None, _) if self.reviewed(id).is_none() => {
                let message = format!("{source} has no action `{id}`, and had none");
                refuse("id", "known", message)
            }
            (None, _) if self.plugin.is_none() => {
                let message = format!("{source} is not served now, so nobody knows what `{id}` is");
                refuse("id", "listed", message)
            }
            (None, None) => Ok(Act::Forget(id)),
            (Some(_), _) | (None, Some(_)) => Err(Error::DefinitionChanged(self.key(id))),
        }
    }

    async fn keep(&self, work: &mut BoxUnitOfWork, acts: &[Act<'_>]) -> Result<(), Error> {
        let kept: Vec<_> = kept(acts)
            .map(|action| (action, DefinitionDocument::of(&action.definition)))
            .collect();
        let new: Vec<_> = kept
            .iter()
            .map(|(action, document)| new_review(action, document))
            .collect();
        let by = self.actor.as_str();
        let mut reviews = work.reviews();
        reviews
            .begin(self.organization, self.source, by, self.now)
            .await?;
        reviews
            .put(self.organization, self.source, &new, by, self.now)
            .await?;
        for act in acts {
            if let Act::Forget(id) = act {
                reviews.remove(self.organization, &self.key(id)).await?;
            }
        }
        Ok(())
    }

    /// Takes the modes of the organization and of its automations for ones that were
    /// set for what was confirmed, where they were set for what had been reviewed; the
    /// difference that was shown is the one between the two.
    async fn repin(
        &self,
        work: &mut BoxUnitOfWork,
        acts: &[Act<'_>],
    ) -> Result<Vec<Repinned>, Error> {
        let mut repinned = Vec::new();
        for act in acts {
            let (id, after) = match act {
                Act::Keep(action) => (&action.definition.id, Some(action.digests)),
                Act::Forget(id) => (*id, None),
            };
            let reviewed = self.reviewed(id).map(|review| review.stamp.digests);
            let key = self.key(id);
            let mut modes = work.modes();
            for found in modes.find_all(self.organization, &key).await? {
                let before = found.stored.pin;
                let is_meant = after.is_none() || before == reviewed;
                if before.is_none() || before == after || !is_meant {
                    continue;
                }
                modes.pin(&found.scope, &key, after).await?;
                repinned.push(Repinned {
                    key: key.clone(),
                    scope: found.scope,
                    before,
                    after,
                });
            }
        }
        Ok(repinned)
    }

    async fn record(
        &self,
        work: &mut BoxUnitOfWork,
        acts: &[Act<'_>],
        repinned: &[Repinned],
    ) -> Result<(), Error> {
        let (mut before, mut after) = (Map::new(), Map::new());
        for act in acts {
            let (id, now) = match act {
                Act::Keep(action) => (&action.definition.id, Some(action.stamp())),
                Act::Forget(id) => (*id, None),
            };
            let was = self.reviewed(id).map(|review| review.stamp);
            before.insert(id.to_string(), was.map_or(Value::Null, shown));
            after.insert(id.to_string(), now.map_or(Value::Null, shown));
        }
        let change = Change {
            organization: Some(self.organization),
            actor: self.actor,
            at: self.now,
        };
        let details = json!({
            "baseline": false,
            "before": before,
            "after": after,
            "modes": repinned.iter().map(shown_mode).collect::<Vec<_>>(),
        });
        let subject = AuditSubject::source(self.source);
        let kind = AuditKind::SourceReviewed;
        change
            .record(self.gateway, work, kind, subject, details)
            .await
    }
}

fn kept<'a>(acts: &[Act<'a>]) -> impl Iterator<Item = &'a PluginAction> {
    acts.iter().filter_map(|act| match act {
        Act::Keep(action) => Some(*action),
        Act::Forget(_) => None,
    })
}

fn shown_mode(repinned: &Repinned) -> Value {
    json!({
        "action": repinned.key.action.as_str(),
        "scope": audit::scope(&repinned.scope),
        "before": repinned.before.map(|digests| digests.contract.to_string()),
        "after": repinned.after.map(|digests| digests.contract.to_string()),
    })
}
