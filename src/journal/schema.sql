-- Version 1. Later versions are further steps in `MIGRATIONS` (open.rs); this text never changes.

-- The journal. Append-only: rows are added at the end and pruned from the front, never altered.
-- No secondary index: the rowid is the order, and every index would double the wear of the flash.
CREATE TABLE event (
    seq     INTEGER PRIMARY KEY,  -- gap-free but for what was dropped from full memory while the disk failed
    time_ms INTEGER NOT NULL,     -- wall clock, Unix milliseconds; for retention
    line    TEXT    NOT NULL,     -- the JSON of contract 5.2
    hash    BLOB    NOT NULL      -- SHA-256(hash of the row before || line)
) STRICT;

-- The newest state of every alarm, written with the event that led to it. Never pruned.
CREATE TABLE alarm (
    alarm  TEXT PRIMARY KEY,      -- POINT/kind
    record TEXT NOT NULL,         -- JSON of AlarmRecord
    hash   BLOB NOT NULL          -- SHA-256(record): a flipped bit must not become an alarm state
) STRICT, WITHOUT ROWID;

-- What each output has delivered: everything up to seq.
CREATE TABLE cursor (
    output TEXT PRIMARY KEY,
    seq    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row.
CREATE TABLE meta (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    epoch     INTEGER NOT NULL,   -- of the ids handed out now
    reserved  INTEGER NOT NULL,   -- epoch for the next stretch without a disk; used by nobody yet
    alive_ms  INTEGER,            -- last sign of life, Unix milliseconds; NULL before the first
    last_seq  INTEGER NOT NULL,   -- newest row there must be
    base_seq  INTEGER NOT NULL,   -- row before the oldest one kept
    base_hash BLOB    NOT NULL    -- its hash
) STRICT;
