-- Version 2. As version 1 (schema.sql), this text never changes.

-- What an alarm must know after a restart and what is no event: the windows of exposure averages.
-- Replaced in place, in transactions that happen anyway. Rows of alarms that are no longer
-- configured stay and are not read.
CREATE TABLE memory (
    alarm  TEXT PRIMARY KEY,      -- POINT/kind
    memory TEXT NOT NULL,         -- JSON of Memory
    hash   BLOB NOT NULL          -- SHA-256(memory): a flipped bit must not become an exposure
) STRICT, WITHOUT ROWID;
