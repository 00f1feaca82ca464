-- A book in one schema of a PostgreSQL database. Names, ids and keys are bytes (UTF-8): they sort by their code points,
-- whatever the database's collation is, and may hold anything. To read one: convert_from(id, 'UTF8').
CREATE TABLE meta (key text COLLATE "C" PRIMARY KEY, value text NOT NULL);

-- The journal: what is written here is never changed. The database itself refuses.
CREATE TABLE fact (seq bigint PRIMARY KEY, id bytea NOT NULL UNIQUE, leaf bytea NOT NULL, data bytea NOT NULL);
-- Hashes of full subtrees of 256, 65,536, … leaves (level 8, 16, …): a proof reads a few hundred hashes at most.
CREATE TABLE node (level bigint NOT NULL, idx bigint NOT NULL, hash bytea NOT NULL, PRIMARY KEY (level, idx));
CREATE TABLE checkpoint (size bigint PRIMARY KEY, note text NOT NULL);
-- Checkpoints with the cosignatures of witnesses, as they came in.
CREATE TABLE cosigned (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, size bigint NOT NULL, note text NOT NULL);
CREATE INDEX cosigned_size ON cosigned (size);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'what is in table % is never changed and never deleted', TG_TABLE_NAME;
END $$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON fact FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON node FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoint FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON cosigned FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE fact ENABLE ALWAYS TRIGGER never_changed;
ALTER TABLE node ENABLE ALWAYS TRIGGER never_changed;
ALTER TABLE checkpoint ENABLE ALWAYS TRIGGER never_changed;
ALTER TABLE cosigned ENABLE ALWAYS TRIGGER never_changed;

-- Texts and records named by their hash. Not part of the log: a text can be lost or withdrawn, its hash stays proved.
CREATE TABLE blob (sha256 text COLLATE "C" PRIMARY KEY, data bytea NOT NULL);

-- Personal details: the log holds a salted commitment only. Leave this table out of copies that others may see. Those that
-- wait lie beside those that the log commits to, until it commits to them.
CREATE TABLE person (
  maker bytea NOT NULL, salt text NOT NULL, details bytea NOT NULL, waiting boolean NOT NULL DEFAULT false,
  PRIMARY KEY (maker, waiting)
);
-- A deleted row would stay in the table's file for a while, and VACUUM FULL would carry it over while others write.
CREATE FUNCTION forget_person(who bytea, only_waiting boolean) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '30s' AS $$
DECLARE
  found boolean;
  kept person[];
BEGIN
  LOCK TABLE person IN ACCESS EXCLUSIVE MODE;
  found := EXISTS (SELECT FROM person WHERE maker = who AND (waiting OR NOT only_waiting));
  kept := ARRAY(SELECT person FROM person WHERE maker <> who OR (only_waiting AND NOT waiting));
  TRUNCATE person;
  INSERT INTO person SELECT (unnest(kept)).*;
  RETURN found;
END $$;
-- What waits takes the place of what was there, which goes for good.
CREATE FUNCTION adopt_person(who bytea) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '30s' AS $$
DECLARE
  due person;
BEGIN
  LOCK TABLE person IN ACCESS EXCLUSIVE MODE;
  SELECT * INTO due FROM person WHERE maker = who AND waiting;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  IF EXISTS (SELECT FROM person WHERE maker = who AND NOT waiting) THEN
    PERFORM forget_person(who, false);
    INSERT INTO person (maker, salt, details) VALUES (who, due.salt, due.details);
  ELSE
    UPDATE person SET waiting = false WHERE maker = who;
  END IF;
  RETURN true;
END $$;

-- The views: answers kept ready, made from the journal alone. They can be dropped and rebuilt with the same result.
CREATE TABLE view (tbl text COLLATE "C" NOT NULL, key bytea NOT NULL, data bytea NOT NULL, PRIMARY KEY (tbl, key));
-- Which facts are about a name: a row for each time that the views were kept (MessagePack, a list of numbers).
CREATE TABLE touch (ref bytea NOT NULL, first bigint NOT NULL, seqs bytea NOT NULL, PRIMARY KEY (ref, first));
-- What facts booked: some hundred facts a row (MessagePack).
CREATE TABLE posting (first bigint PRIMARY KEY, bookings bytea NOT NULL);
CREATE TABLE viewed (one integer PRIMARY KEY CHECK (one = 1), size bigint NOT NULL);
INSERT INTO viewed VALUES (1, 0);

-- Batches that wait for whoever writes at the moment. Not logged: after a crash nobody waits any more, and repeats.
CREATE UNLOGGED TABLE inbox (
  ticket bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(),
  batch bytea NOT NULL, ids bytea[] NOT NULL, answer text
);
ALTER TABLE inbox ALTER COLUMN batch SET STORAGE EXTERNAL;

-- A writer takes the pen first: a lock until the transaction ends. Then it sees what there is, what waits, and which of
-- the ids in that, and in what it wants to write itself, are in the log.
CREATE FUNCTION take_pen(
  wait boolean, most_bytes bigint, own_ids bytea[],
  OUT free boolean, OUT last bigint[], OUT seen bigint, OUT tickets bigint[], OUT batches bytea[],
  OUT asked bytea[], OUT found_ids bytea[], OUT found_seqs bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
  book CONSTANT integer := (quote_ident(current_schema())::regnamespace::oid::bigint & 2147483647)::integer;
BEGIN
  IF wait THEN
    PERFORM pg_advisory_xact_lock(1198485095, book);
    free := true;
  ELSE
    free := pg_try_advisory_xact_lock(1198485095, book);
  END IF;
  IF NOT free THEN
    RETURN;
  END IF;
  last := ARRAY(SELECT seq FROM fact ORDER BY seq DESC LIMIT 2);
  seen := (SELECT size FROM viewed);
  IF most_bytes > 0 THEN
    WITH taken AS (
      SELECT ordered.ticket, ordered.batch, ordered.ids FROM (
        SELECT inbox.*, sum(octet_length(batch)) OVER (ORDER BY ticket) - octet_length(batch) AS before
        FROM inbox WHERE answer IS NULL
      ) AS ordered WHERE before < most_bytes
    )
    SELECT array_agg(ticket ORDER BY ticket), array_agg(batch ORDER BY ticket), ARRAY(SELECT unnest(ids) FROM taken)
    INTO tickets, batches, asked FROM taken;
  END IF;
  asked := asked || own_ids;
  IF cardinality(asked) > 0 THEN
    SELECT array_agg(id), array_agg(seq) INTO found_ids, found_seqs FROM fact WHERE id = ANY(asked);
  END IF;
END $$;

-- What a transaction adds to the log, and the batches that it answers: at once, before it is committed.
CREATE FUNCTION write_log(
  seqs bigint[], ids bytea[], leaves bytea[], datas bytea[], levels bigint[], indexes bigint[], hashes bytea[],
  sizes bigint[], notes text[], done bigint[], calls text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO fact (seq, id, leaf, data) SELECT * FROM unnest(seqs, ids, leaves, datas);
  IF cardinality(levels) > 0 THEN
    INSERT INTO node (level, idx, hash) SELECT * FROM unnest(levels, indexes, hashes);
  END IF;
  IF cardinality(sizes) > 0 THEN
    INSERT INTO checkpoint (size, note) SELECT * FROM unnest(sizes, notes);
  END IF;
  IF cardinality(done) > 0 THEN
    DELETE FROM inbox WHERE ticket = ANY(done);
  END IF;
  PERFORM pg_notify('gongfen_' || quote_ident(current_schema())::regnamespace::oid::bigint, said) FROM unnest(calls) AS said;
END $$;
