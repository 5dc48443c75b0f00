-- Version 8. As the versions before it, this text never changes.

-- Where the journal's own clock (prune.rs) stood at the last transaction, milliseconds. It goes on from there at the
-- next start, also where no event was written in between; NULL: from the newest row.
ALTER TABLE meta ADD COLUMN clock_ms INTEGER;

-- By the same clock: when the receipt's event was first set aside, or first owed to single readers. NULL: not known.
ALTER TABLE receipt ADD COLUMN aside_ms INTEGER;
