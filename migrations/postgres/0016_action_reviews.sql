-- What an organization has reviewed of a source's actions: digests of each
-- definition as somebody saw it, or as it was when the organization first used the
-- source. An action without a row has been seen by nobody.
CREATE TABLE action_reviews (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    source_id TEXT COLLATE "C" NOT NULL,
    action_id TEXT COLLATE "C" NOT NULL,
    interface_digest TEXT COLLATE "C" NOT NULL,
    contract_digest TEXT COLLATE "C" NOT NULL,
    risk TEXT COLLATE "C" NOT NULL,
    reviewed_by TEXT COLLATE "C" NOT NULL,
    reviewed_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, source_id, action_id)
);

-- Which sources an organization has reviewed at all. It is taken for reviewed once,
-- and never again, also when every action of it has gone meanwhile.
CREATE TABLE reviewed_sources (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    source_id TEXT COLLATE "C" NOT NULL,
    begun_by TEXT COLLATE "C" NOT NULL,
    begun_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, source_id)
);

-- The definitions themselves, to show what has changed; once for all organizations,
-- by their digests, so nothing here is ever updated.
CREATE TABLE reviewed_definitions (
    contract_digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    definition TEXT NOT NULL
);

-- Whether an action that reads differently and is called as ever waits for a person.
-- It has no CHECK: a value this version does not know counts as the stricter.
ALTER TABLE organizations ADD COLUMN text_changes TEXT COLLATE "C" NOT NULL DEFAULT 'flag';
