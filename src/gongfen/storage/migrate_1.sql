-- From schema 1 (Gongfen 0.1.0) to 2: the views are kept in larger rows; they are folded again from the facts.
-- Personal details move to a file of their own beforehand (storage/sqlite.py).
DROP TABLE person;
DROP TABLE touch;
DROP TABLE posting;
DELETE FROM view;
CREATE TABLE touch (ref TEXT NOT NULL, first INTEGER NOT NULL, seqs BLOB NOT NULL, PRIMARY KEY (ref, first)) STRICT, WITHOUT ROWID;
CREATE TABLE posting (first INTEGER PRIMARY KEY, bookings BLOB NOT NULL) STRICT;
-- Checkpoints with the cosignatures of witnesses, as they came in.
CREATE TABLE cosigned (number INTEGER PRIMARY KEY, size INTEGER NOT NULL, note TEXT NOT NULL) STRICT;
CREATE INDEX cosigned_size ON cosigned (size);
CREATE TRIGGER cosigned_update BEFORE UPDATE ON cosigned BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;
CREATE TRIGGER cosigned_delete BEFORE DELETE ON cosigned BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;
UPDATE viewed SET size = 0;
UPDATE meta SET value = '2' WHERE key = 'schema';
