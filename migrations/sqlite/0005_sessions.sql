-- Agents' working sessions. A session that has closed_at admits nothing more.
-- Admission locks this row, which makes counting a session's invocations and
-- adding one a single step.
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    user_id TEXT,
    automation_id TEXT,
    title TEXT,
    created_at INTEGER NOT NULL,
    closed_at INTEGER,
    UNIQUE (id, organization_id),
    FOREIGN KEY (automation_id, organization_id) REFERENCES automations (id, organization_id)
) STRICT;

CREATE INDEX sessions_by_organization ON sessions (organization_id, created_at);
