-- Tenants. The platform chooses their ids, so an id is any text rather than a UUID.
--
-- True of every table here: ids of our own are hyphenated UUIDs as TEXT; times
-- are whole microseconds since 1970 (UTC) as BIGINT, always bound from a value,
-- never from a default, so that one clock decides; JSON is TEXT, which keeps key
-- order and `\u0000`. Text that is compared or ordered has the collation "C", which
-- goes by bytes as SQLite does, whatever the database was created with.
CREATE TABLE organizations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
