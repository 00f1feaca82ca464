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

-- Texts and records named by their hash. Not part of the log: a body can be lost or withdrawn, its hash stays proved.
CREATE TABLE blob (sha256 TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- Personal details, kept outside the log under a salted commitment: they can be forgotten without breaking a proof.
CREATE TABLE person (maker TEXT PRIMARY KEY, salt TEXT NOT NULL, details TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- The views: answers kept ready, made from the journal alone. They can be dropped and rebuilt with the same result.
CREATE TABLE view (tbl TEXT NOT NULL, key TEXT NOT NULL, row BLOB NOT NULL, PRIMARY KEY (tbl, key)) STRICT, WITHOUT ROWID;
CREATE TABLE touch (ref TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (ref, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE posting (seq INTEGER NOT NULL, line INTEGER NOT NULL, account TEXT NOT NULL, unit TEXT NOT NULL, amount INTEGER NOT NULL, why TEXT NOT NULL, PRIMARY KEY (seq, line)) STRICT, WITHOUT ROWID;
CREATE TABLE viewed (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL) STRICT;
INSERT INTO viewed VALUES (1, 0);
