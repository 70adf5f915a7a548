-- Tickets with which a browser opens a stream of events, each good once. Only a
-- digest is kept, since whoever reads this table could use a ticket otherwise.
CREATE TABLE event_tickets (
    digest TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    user_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX event_tickets_by_age ON event_tickets (expires_at);
