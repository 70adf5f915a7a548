-- What a decision is bound to, and why it was taken. An organization may say how
-- long its requests wait for a person; null leaves it to the configuration.
ALTER TABLE action_invocations ADD COLUMN connection_version INTEGER;
ALTER TABLE action_invocations ADD COLUMN decision_reason TEXT;
ALTER TABLE organizations ADD COLUMN interactive_approval_seconds INTEGER;
ALTER TABLE organizations ADD COLUMN automation_approval_seconds INTEGER;
