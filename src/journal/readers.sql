-- Version 6. As the versions before it, this text never changes.

-- Where not every reader has the event: who is owed it, who will never have it, and whether anybody has it. JSON
-- of Audience; NULL: the output has one reader, or all of them have it.
ALTER TABLE receipt ADD COLUMN readers TEXT;
