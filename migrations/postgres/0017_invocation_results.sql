-- What a truncated result was before: kept for a while, redacted and sealed.
CREATE TABLE invocation_results (
    invocation_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES action_invocations (id),
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    bytes BIGINT NOT NULL,
    is_whole BOOLEAN NOT NULL,
    expires_at BIGINT NOT NULL,
    result_key_id TEXT COLLATE "C" NOT NULL,
    result_sealed BYTEA NOT NULL
);

-- What is sealed does not get smaller: no time is spent on trying.
ALTER TABLE invocation_results ALTER COLUMN result_sealed SET STORAGE EXTERNAL;

-- The sweeper.
CREATE INDEX invocation_results_by_age ON invocation_results (expires_at);
