-- Tenants. The platform chooses their ids, so an id is any text rather than a UUID.
--
-- True of every table here: ids of our own are hyphenated UUIDs as TEXT; times
-- are whole microseconds since 1970 (UTC) as INTEGER, always bound from a value,
-- never from a default, so that one clock decides; booleans are 0 or 1; JSON is
-- TEXT, which keeps key order and `\u0000`.
CREATE TABLE organizations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
