-- From schema 2 to 3 on a server: details that wait are marked in a column; before, they waited under the name MAKER|next.
LOCK TABLE person IN ACCESS EXCLUSIVE MODE;
ALTER TABLE person ADD COLUMN waiting boolean NOT NULL DEFAULT false;
ALTER TABLE person DROP CONSTRAINT person_pkey, ADD PRIMARY KEY (maker, waiting);
UPDATE person SET maker = substr(maker, 1, length(maker) - 5), waiting = true
WHERE length(maker) > 5 AND substr(maker, length(maker) - 4) = '|next'::bytea;
DROP FUNCTION forget_person(bytea);
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
UPDATE meta SET value = '3' WHERE key = 'schema';
