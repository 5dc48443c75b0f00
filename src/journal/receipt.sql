-- Version 4. As the versions before it, this text never changes.

-- When an output's far end accepted an event: one row for each output that has it. Written with the cursors,
-- pruned with the events.
CREATE TABLE receipt (
    seq     INTEGER NOT NULL,
    output  TEXT    NOT NULL,
    time_ms INTEGER NOT NULL,     -- wall clock, Unix milliseconds
    PRIMARY KEY (seq, output)
) STRICT, WITHOUT ROWID;
