//! The modes that are in force, for many actions at once.

use std::collections::HashMap;

use portcullis_core::definition::DefinitionStamp;
use portcullis_core::id::{ActionKey, AutomationId, OrganizationId};
use portcullis_core::modes::{ModeInputs, PinnedMode, TextChanges};
use portcullis_storage::{BoxUnitOfWork, ModeScope};

use crate::error::Error;

/// All that is stored about the actions of an organization.
pub(crate) struct StoredModes {
    organization: HashMap<ActionKey, PinnedMode>,
    automation: HashMap<ActionKey, PinnedMode>,
    reviewed: HashMap<ActionKey, DefinitionStamp>,
    text_changes: TextChanges,
}

impl StoredModes {
    /// Reads it, with the overrides of an automation if one is given.
    pub(crate) async fn read(
        work: &mut BoxUnitOfWork,
        organization: &OrganizationId,
        automation: Option<AutomationId>,
    ) -> Result<Self, Error> {
        let scope = ModeScope::Organization(organization.clone());
        let reviewed = work.reviews().stamps(organization).await?;
        Ok(Self {
            organization: read_modes(work, &scope).await?,
            automation: match automation.map(ModeScope::Automation) {
                Some(scope) => read_modes(work, &scope).await?,
                None => HashMap::new(),
            },
            reviewed: reviewed.into_iter().collect(),
            text_changes: text_changes(work, organization).await?,
        })
    }

    /// What is stored about one action.
    pub(crate) fn of(&self, key: &ActionKey) -> ModeInputs {
        ModeInputs {
            automation_override: self.automation.get(key).cloned(),
            org_default: self.organization.get(key).cloned(),
            connector_override: None,
            reviewed: self.reviewed.get(key).copied(),
            text_changes: self.text_changes,
        }
    }
}

/// What an organization makes of other words.
pub(crate) async fn text_changes(
    work: &mut BoxUnitOfWork,
    organization: &OrganizationId,
) -> Result<TextChanges, Error> {
    let found = work.organizations().find(organization).await?;
    let found = found.ok_or(Error::NotFound("organization"))?;
    Ok(found.text_changes)
}

async fn read_modes(
    work: &mut BoxUnitOfWork,
    scope: &ModeScope,
) -> Result<HashMap<ActionKey, PinnedMode>, Error> {
    let overrides = work.modes().list(scope).await?;
    Ok(overrides
        .into_iter()
        .map(|entry| (entry.key, entry.stored))
        .collect())
}
