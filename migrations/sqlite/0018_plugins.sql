-- Plugins by the id of their source. The generation grows with every change of what
-- is active, so that a gateway tells news from what it has seen.
CREATE TABLE plugins (
    id TEXT NOT NULL PRIMARY KEY,
    generation INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every version that was ever installed, by the SHA-256 of its component. What it
-- says about itself is kept, so that versions can be compared without running them.
CREATE TABLE plugin_versions (
    digest TEXT NOT NULL PRIMARY KEY,
    plugin_id TEXT NOT NULL REFERENCES plugins (id),
    version TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('staged', 'active', 'retired', 'failed')),
    size INTEGER NOT NULL,
    origin TEXT NOT NULL,
    signed_by TEXT NOT NULL,
    installed_by TEXT NOT NULL,
    installed_at INTEGER NOT NULL,
    -- When it became active last; versions that never were cannot be gone back to.
    activated_at INTEGER,
    -- The version that was active before this one; of one that waits, the version that
    -- it was compared with.
    replaced TEXT,
    -- Why it is in this state, in words for people.
    reason TEXT,
    changed_by TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    manifest TEXT NOT NULL
) STRICT;

CREATE INDEX plugin_versions_by_plugin ON plugin_versions (plugin_id, changed_at);

-- Whatever happens, one version of a plugin is active, and one waits.
CREATE UNIQUE INDEX plugin_versions_active ON plugin_versions (plugin_id) WHERE state = 'active';
CREATE UNIQUE INDEX plugin_versions_staged ON plugin_versions (plugin_id) WHERE state = 'staged';

-- The components themselves. They are no secrets, and larger than a row should be, so
-- nothing else stands beside them; versions that nobody goes back to have none.
CREATE TABLE plugin_artifacts (
    digest TEXT NOT NULL PRIMARY KEY REFERENCES plugin_versions (digest),
    component BLOB NOT NULL
) STRICT;
