-- Agents' working sessions. A session that has closed_at admits nothing more.
-- Admission locks this row, which makes counting a session's invocations and
-- adding one a single step.
CREATE TABLE sessions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    user_id TEXT COLLATE "C",
    automation_id TEXT COLLATE "C",
    title TEXT,
    created_at BIGINT NOT NULL,
    closed_at BIGINT,
    UNIQUE (id, organization_id),
    FOREIGN KEY (automation_id, organization_id) REFERENCES automations (id, organization_id)
);

CREATE INDEX sessions_by_organization ON sessions (organization_id, created_at);
