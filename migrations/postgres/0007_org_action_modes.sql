-- The organization's step of the mode cascade, a row for each action, so that
-- each change is one atomic statement and no two admins overwrite each other.
-- The mode has no CHECK: a value this version does not know must stay readable,
-- because it denies.
CREATE TABLE org_action_modes (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    source_id TEXT COLLATE "C" NOT NULL,
    action_id TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL,
    set_by TEXT COLLATE "C" NOT NULL,
    set_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, source_id, action_id)
);
