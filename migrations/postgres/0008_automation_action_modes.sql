-- The automation's step of the mode cascade, which comes before the
-- organization's. As there, a row for each action and no CHECK on the mode.
CREATE TABLE automation_action_modes (
    automation_id TEXT COLLATE "C" NOT NULL REFERENCES automations (id),
    source_id TEXT COLLATE "C" NOT NULL,
    action_id TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL,
    set_by TEXT COLLATE "C" NOT NULL,
    set_at BIGINT NOT NULL,
    PRIMARY KEY (automation_id, source_id, action_id)
);
