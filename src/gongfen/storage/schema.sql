-- The journal: what is written here is never changed. The database itself refuses.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE fact (seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL, id TEXT NOT NULL UNIQUE, data BLOB NOT NULL) STRICT;
-- Hashes of full subtrees of 256, 65,536, … leaves (level 8, 16, …): a proof reads a few hundred hashes at most.
CREATE TABLE node (level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
CREATE TRIGGER fact_update BEFORE UPDATE ON fact BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER fact_delete BEFORE DELETE ON fact BEGIN SELECT RAISE(ABORT, 'facts are never deleted'); END;
CREATE TRIGGER node_update BEFORE UPDATE ON node BEGIN SELECT RAISE(ABORT, 'hashes are never changed'); END;
CREATE TRIGGER node_delete BEFORE DELETE ON node BEGIN SELECT RAISE(ABORT, 'hashes are never deleted'); END;
CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;
CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;

-- Checkpoints with the cosignatures of witnesses, as they came in.
CREATE TABLE cosigned (number INTEGER PRIMARY KEY, size INTEGER NOT NULL, note TEXT NOT NULL) STRICT;
CREATE INDEX cosigned_size ON cosigned (size);
CREATE TRIGGER cosigned_update BEFORE UPDATE ON cosigned BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;
CREATE TRIGGER cosigned_delete BEFORE DELETE ON cosigned BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;

-- Texts and records named by their hash. Not part of the log: a text can be lost or withdrawn, its hash stays proved.
CREATE TABLE blob (sha256 TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- The views: answers kept ready, made from the journal alone. They can be dropped and rebuilt with the same result.
CREATE TABLE view (tbl TEXT NOT NULL, key TEXT NOT NULL, row BLOB NOT NULL, PRIMARY KEY (tbl, key)) STRICT, WITHOUT ROWID;
-- Which facts are about a name: a row for each time that the views were kept (MessagePack, a list of numbers).
CREATE TABLE touch (ref TEXT NOT NULL, first INTEGER NOT NULL, seqs BLOB NOT NULL, PRIMARY KEY (ref, first)) STRICT, WITHOUT ROWID;
-- What facts booked: some hundred facts a row (MessagePack).
CREATE TABLE posting (first INTEGER PRIMARY KEY, bookings BLOB NOT NULL) STRICT;
CREATE TABLE viewed (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL) STRICT;
INSERT INTO viewed VALUES (1, 0);
