-- Repeated tasks that sessions run for. The pair (id, organization_id) is unique
-- for the sake of those who refer to it: a reference that names both cannot
-- cross from one organization into another.
CREATE TABLE automations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (id, organization_id)
);

CREATE INDEX automations_by_organization ON automations (organization_id, created_at);
