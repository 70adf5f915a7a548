-- Origins the operator allows although they are not globally routable, such as
-- a service inside the company. An origin is granted once.
CREATE TABLE egress_grants (
    id TEXT NOT NULL PRIMARY KEY,
    origin TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT;
