-- Keys that clients gave with a request, so that the same request sent again
-- finds the first invocation. The digest of the body tells a repetition from a
-- key that is used for something else.
CREATE TABLE idempotency_keys (
    session_id TEXT NOT NULL REFERENCES sessions (id),
    idempotency_key TEXT NOT NULL,
    body_digest TEXT NOT NULL,
    invocation_id TEXT NOT NULL REFERENCES action_invocations (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, idempotency_key)
) STRICT, WITHOUT ROWID;

-- Old keys are removed by age.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
