-- Connections: a credential of an organization (user_id is null) or of one user
-- for one provider. The credential is sealed before it comes here; the key id
-- says with which key, so that keys can be rotated row by row. Rotating the
-- credential raises the version, which is what approvals are bound to.
CREATE TABLE integrations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    user_id TEXT COLLATE "C",
    provider TEXT COLLATE "C" NOT NULL,
    credential_type TEXT COLLATE "C" NOT NULL,
    credential_sealed BYTEA NOT NULL,
    credential_key_id TEXT COLLATE "C" NOT NULL,
    base_urls TEXT NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'needs_reauth')),
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (id, organization_id)
);

CREATE INDEX integrations_by_organization ON integrations (organization_id, created_at);
