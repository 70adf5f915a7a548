-- Origins the operator allows although they are not globally routable, such as
-- a service inside the company. An origin is granted once.
CREATE TABLE egress_grants (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    origin TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL
);
