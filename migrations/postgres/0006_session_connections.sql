-- The connections a session may use, in the order they were given. The
-- organization stands in the row so that both references must agree on it: a
-- session can never hold another organization's connection.
CREATE TABLE session_connections (
    session_id TEXT COLLATE "C" NOT NULL,
    connection_id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (session_id, connection_id),
    FOREIGN KEY (session_id, organization_id)
        REFERENCES sessions (id, organization_id) ON DELETE CASCADE,
    FOREIGN KEY (connection_id, organization_id)
        REFERENCES integrations (id, organization_id) ON DELETE CASCADE
);

-- Removing a connection looks for its rows here.
CREATE INDEX session_connections_by_connection
    ON session_connections (connection_id, organization_id);
