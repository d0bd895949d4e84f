/** What an instance keeps in SQLite of what it shares with others, beside the rows themselves. */
export const sharedTables = `
  -- what all instances know of each key and model and of the settings, also of those that are gone
  CREATE TABLE shared_rows (
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    change TEXT NOT NULL,
    origin TEXT NOT NULL,
    body TEXT,
    PRIMARY KEY (kind, id)
  ) STRICT, WITHOUT ROWID;

  -- one row: the last change in Redis of all that are known here; 0 before the first, and no name when Redis lost it
  CREATE TABLE shared_position (seq INTEGER NOT NULL, change TEXT NOT NULL) STRICT;
  INSERT INTO shared_position VALUES (0, '');

  -- changes that were sent and not answered yet: what the audit says of them if they happened
  CREATE TABLE shared_unanswered (change TEXT PRIMARY KEY, at INTEGER NOT NULL, entries TEXT NOT NULL) STRICT, WITHOUT ROWID;
`
