-- Keys that clients gave with a request, so that the same request sent again
-- finds the first invocation. The digest of the body tells a repetition from a
-- key that is used for something else.
CREATE TABLE idempotency_keys (
    session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id),
    idempotency_key TEXT COLLATE "C" NOT NULL,
    body_digest TEXT COLLATE "C" NOT NULL,
    invocation_id TEXT COLLATE "C" NOT NULL REFERENCES action_invocations (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (session_id, idempotency_key)
);

-- Old keys are removed by age.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
