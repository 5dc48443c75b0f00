-- Version 5. As the versions before it, this text never changes.

-- When the row came to disk, by the wall clock; NULL in rows of earlier versions. No part of the hash: it says
-- when we wrote, not what happened.
ALTER TABLE event ADD COLUMN commit_ms INTEGER;

-- A receipt says what became of the event at the output, also when the far end does not have it.
ALTER TABLE receipt ADD COLUMN fate     TEXT;     -- NULL: accepted; 'aside': to be tried again; 'lost': given up
ALTER TABLE receipt ADD COLUMN sent_ms  INTEGER;  -- first attempt of that run, Unix milliseconds
ALTER TABLE receipt ADD COLUMN attempts INTEGER;  -- so many in that run
ALTER TABLE receipt ADD COLUMN words    TEXT;     -- what the far end said

-- Few, so that it costs nothing: at a start they are given up.
CREATE INDEX aside ON receipt (seq) WHERE fate = 'aside';
