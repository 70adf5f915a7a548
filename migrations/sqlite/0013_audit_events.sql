-- What happened, for good: each row is written in the transaction of the change
-- that it records. `chain` is the organization's id, or empty for what belongs to
-- the gateway as a whole; it has no reference, since the record outlives all else.
-- `mac` is keyed, so that nobody but a gateway can write a row.
CREATE TABLE audit_events (
    id TEXT NOT NULL PRIMARY KEY,
    chain TEXT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    subject TEXT NOT NULL,
    details TEXT NOT NULL,
    at INTEGER NOT NULL,
    mac BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What happened to one thing, and what happened lately.
CREATE INDEX audit_events_by_subject ON audit_events (subject, at);
CREATE INDEX audit_events_by_time ON audit_events (at);

-- Events that are in no chain yet.
CREATE TABLE audit_queue (
    event_id TEXT NOT NULL PRIMARY KEY,
    chain TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_queue_by_chain ON audit_queue (chain);

CREATE TRIGGER audit_events_wait_for_the_chain AFTER INSERT ON audit_events
BEGIN
    INSERT INTO audit_queue (event_id, chain) VALUES (NEW.id, NEW.chain);
END;

-- The order of events, each bound to all before it. The reference to the event is
-- not declared: that one is missing is for the verification to find and name.
CREATE TABLE audit_chain (
    chain TEXT NOT NULL,
    position INTEGER NOT NULL,
    event_id TEXT NOT NULL UNIQUE,
    mac BLOB NOT NULL,
    PRIMARY KEY (chain, position)
) STRICT, WITHOUT ROWID;

-- How long each chain is, signed; so that a tail that was cut is missed.
CREATE TABLE audit_checkpoints (
    chain TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    mac BLOB NOT NULL,
    at INTEGER NOT NULL,
    seal BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The key of all this, sealed under the master key; a rotation of that seals it
-- anew, and what was written stays verifiable.
CREATE TABLE audit_keys (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL,
    key_sealed BLOB NOT NULL,
    key_key_id TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_events_stay_as_they_are BEFORE UPDATE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit events are append-only');
END;

CREATE TRIGGER audit_events_stay BEFORE DELETE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit events are append-only');
END;

CREATE TRIGGER audit_chain_stays_as_it_is BEFORE UPDATE ON audit_chain
BEGIN
    SELECT RAISE(ABORT, 'the audit chain is append-only');
END;

CREATE TRIGGER audit_chain_stays BEFORE DELETE ON audit_chain
BEGIN
    SELECT RAISE(ABORT, 'the audit chain is append-only');
END;

CREATE TRIGGER audit_checkpoints_only_advance BEFORE UPDATE ON audit_checkpoints
WHEN NEW.chain <> OLD.chain OR NEW.position <= OLD.position
BEGIN
    SELECT RAISE(ABORT, 'audit checkpoints only advance');
END;

CREATE TRIGGER audit_checkpoints_stay BEFORE DELETE ON audit_checkpoints
BEGIN
    SELECT RAISE(ABORT, 'audit checkpoints only advance');
END;
