-- Version 7. As the versions before it, this text never changes.

-- The newest event when a gateway first started without the output: the last one that it could have had. NULL: it is
-- configured, and has the next one, too.
ALTER TABLE cursor ADD COLUMN ended_seq INTEGER;
