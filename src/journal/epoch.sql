-- Version 3. As the versions before it, this text never changes.

-- Every start takes an epoch of its own (open.rs): `meta.epoch` is that of the run which opened the file
-- last, and none is held ready for a stretch without a disk.
ALTER TABLE meta DROP COLUMN reserved;

-- `event.time_ms` needs no step: rows go on from the newest one, now by the clock of prune.rs, which no
-- wall clock moves.
