-- Tickets with which a browser opens a stream of events, each good once. Only a
-- digest is kept, since whoever reads this table could use a ticket otherwise.
CREATE TABLE event_tickets (
    digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id),
    user_id TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX event_tickets_by_age ON event_tickets (expires_at);
