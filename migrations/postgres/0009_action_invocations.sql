-- Every request for an action and its outcome.
--
-- params is redacted, for people; params_sealed is what will be executed, and
-- goes when the invocation ends. integration_id has no reference: the record
-- outlives the connection. An executing row names the node that works on it and
-- the time until which that node vouches for it; without them nobody could
-- finish the row or declare it interrupted.
CREATE TABLE action_invocations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    session_id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    integration_id TEXT COLLATE "C",
    integration TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    risk_level TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL,
    mode_source TEXT COLLATE "C" NOT NULL,
    drifted BOOLEAN NOT NULL,
    params TEXT NOT NULL,
    params_sealed BYTEA,
    params_key_id TEXT COLLATE "C",
    params_digest TEXT COLLATE "C" NOT NULL,
    definition_digest TEXT COLLATE "C",
    plugin_digest TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL
        CHECK (status IN ('pending', 'executing', 'completed', 'failed', 'denied', 'expired')),
    result TEXT,
    result_truncated BOOLEAN NOT NULL,
    error TEXT,
    denied_reason TEXT,
    duration_ms BIGINT,
    approved_by TEXT COLLATE "C",
    approved_at BIGINT,
    completed_at BIGINT,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    node TEXT COLLATE "C",
    lease_expires_at BIGINT,
    FOREIGN KEY (session_id, organization_id) REFERENCES sessions (id, organization_id),
    CONSTRAINT executing_has_a_lease
        CHECK (status <> 'executing' OR (node IS NOT NULL AND lease_expires_at IS NOT NULL)),
    CONSTRAINT pending_expires CHECK (status <> 'pending' OR expires_at IS NOT NULL),
    CONSTRAINT result_only_when_completed CHECK (result IS NULL OR status = 'completed'),
    CONSTRAINT error_only_when_failed CHECK (error IS NULL OR status = 'failed'),
    CONSTRAINT denied_reason_only_when_refused
        CHECK (denied_reason IS NULL OR status IN ('denied', 'expired')),
    CONSTRAINT sealed_params_have_a_key
        CHECK ((params_sealed IS NULL) = (params_key_id IS NULL)),
    CONSTRAINT sealed_params_go_at_the_end
        CHECK (params_sealed IS NULL OR status IN ('pending', 'executing'))
);

-- The rate over a rolling window, and a session's list.
CREATE INDEX action_invocations_by_session ON action_invocations (session_id, created_at);
-- The pending cap: without it every admission would read the whole session.
CREATE INDEX action_invocations_by_session_status
    ON action_invocations (session_id, status, expires_at);
-- The inbox of an organization, newest first.
CREATE INDEX action_invocations_by_organization
    ON action_invocations (organization_id, created_at);
-- The sweeper, and the search for interrupted work.
CREATE INDEX action_invocations_by_status ON action_invocations (status, expires_at);
