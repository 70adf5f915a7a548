-- The definition a mode was set for: digests of what the action was when somebody
-- decided, pinned with the mode. Null where nobody saw one, as for modes that were
-- set before this, or for an action that did not exist: an `allow` without a pin
-- waits for a person.
ALTER TABLE org_action_modes ADD COLUMN interface_digest TEXT;
ALTER TABLE org_action_modes ADD COLUMN contract_digest TEXT;

ALTER TABLE automation_action_modes ADD COLUMN interface_digest TEXT;
ALTER TABLE automation_action_modes ADD COLUMN contract_digest TEXT;
