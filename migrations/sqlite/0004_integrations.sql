-- Connections: a credential of an organization (user_id is null) or of one user
-- for one provider. The credential is sealed before it comes here; the key id
-- says with which key, so that keys can be rotated row by row. Rotating the
-- credential raises the version, which is what approvals are bound to.
CREATE TABLE integrations (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    user_id TEXT,
    provider TEXT NOT NULL,
    credential_type TEXT NOT NULL,
    credential_sealed BLOB NOT NULL,
    credential_key_id TEXT NOT NULL,
    base_urls TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'needs_reauth')),
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (id, organization_id)
) STRICT;

CREATE INDEX integrations_by_organization ON integrations (organization_id, created_at);
