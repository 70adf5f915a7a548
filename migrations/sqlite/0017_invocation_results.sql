-- What a truncated result was before: kept for a while, redacted and sealed. The
-- large value stands last, so that the others are read without it.
CREATE TABLE invocation_results (
    invocation_id TEXT NOT NULL PRIMARY KEY REFERENCES action_invocations (id),
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    bytes INTEGER NOT NULL,
    is_whole INTEGER NOT NULL CHECK (is_whole IN (0, 1)),
    expires_at INTEGER NOT NULL,
    result_key_id TEXT NOT NULL,
    result_sealed BLOB NOT NULL
) STRICT;

-- The sweeper.
CREATE INDEX invocation_results_by_age ON invocation_results (expires_at);
