-- What happened, for good: each row is written in the transaction of the change
-- that it records. `chain` is the organization's id, or empty for what belongs to
-- the gateway as a whole; it has no reference, since the record outlives all else.
-- `mac` is keyed, so that nobody but a gateway can write a row.
CREATE TABLE audit_events (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    chain TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    details TEXT NOT NULL,
    at BIGINT NOT NULL,
    mac BYTEA NOT NULL
);

-- What happened to one thing, and what happened lately.
CREATE INDEX audit_events_by_subject ON audit_events (subject, at);
CREATE INDEX audit_events_by_time ON audit_events (at);

-- Events that are in no chain yet.
CREATE TABLE audit_queue (
    event_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    chain TEXT COLLATE "C" NOT NULL
);

CREATE INDEX audit_queue_by_chain ON audit_queue (chain);

CREATE FUNCTION audit_events_wait_for_the_chain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_queue (event_id, chain) VALUES (NEW.id, NEW.chain);
    RETURN NULL;
END
$$;

CREATE TRIGGER audit_events_wait_for_the_chain AFTER INSERT ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_events_wait_for_the_chain();

-- The order of events, each bound to all before it. The reference to the event is
-- not declared: that one is missing is for the verification to find and name.
CREATE TABLE audit_chain (
    chain TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL UNIQUE,
    mac BYTEA NOT NULL,
    PRIMARY KEY (chain, position)
);

-- How long each chain is, signed; so that a tail that was cut is missed.
CREATE TABLE audit_checkpoints (
    chain TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    mac BYTEA NOT NULL,
    at BIGINT NOT NULL,
    seal BYTEA NOT NULL
);

-- The key of all this, sealed under the master key; a rotation of that seals it
-- anew, and what was written stays verifiable.
CREATE TABLE audit_keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    organization_id TEXT COLLATE "C" NOT NULL,
    key_sealed BYTEA NOT NULL,
    key_key_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;

CREATE TRIGGER audit_events_stay
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

CREATE TRIGGER audit_chain_stays
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

CREATE TRIGGER audit_checkpoints_stay
    BEFORE DELETE OR TRUNCATE ON audit_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

CREATE FUNCTION audit_checkpoints_only_advance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.chain <> OLD.chain OR NEW.position <= OLD.position THEN
        RAISE EXCEPTION 'audit checkpoints only advance';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER audit_checkpoints_only_advance BEFORE UPDATE ON audit_checkpoints
    FOR EACH ROW EXECUTE FUNCTION audit_checkpoints_only_advance();
