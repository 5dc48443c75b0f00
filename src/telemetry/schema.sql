-- Which points the numbers in a block stand for: one line a point, id and unit with a tab between.
CREATE TABLE catalogue (
  key    INTEGER PRIMARY KEY,
  points TEXT    NOT NULL
);

-- Records first to last, in the form of record.rs.
CREATE TABLE block (
  last      INTEGER PRIMARY KEY,
  first     INTEGER NOT NULL,
  newest_ms INTEGER NOT NULL,
  catalogue INTEGER NOT NULL,
  records   BLOB    NOT NULL
);

-- The output has every record up to this one.
CREATE TABLE cursor (
  output TEXT    PRIMARY KEY,
  number INTEGER NOT NULL
) WITHOUT ROWID;
