/** "ghac" in ASCII: what tells our files from other SQLite files. */
export const applicationId = 0x67_68_61_63

/** Grows with every change of the tables. A file of another version is replaced: its answers are not worth a migration. */
export const tablesVersion = 1

/**
 * Long answers are written in pieces, so that no single one holds the event loop up: 8 MB at once take 10 to 20 ms and as
 * much again for the checkpoint behind it, 256 KiB half of a millisecond.
 */
export const longestPiece = 256 * 1024

/** Pieces of an answer are numbered from `id * piecesPerAnswer`. */
export const piecesPerAnswer = 1024

/** The order of use is a count and not a time, because clocks are set back. Bodies lie apart, or each use would rewrite them. */
export const tables = `
CREATE TABLE answers (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,
  model TEXT NOT NULL,
  kept_at INTEGER NOT NULL,
  used INTEGER NOT NULL,
  length INTEGER NOT NULL,
  head TEXT NOT NULL
) STRICT;
CREATE INDEX answers_by_use ON answers (used);
CREATE INDEX answers_by_model ON answers (model);
CREATE TABLE pieces (
  id INTEGER PRIMARY KEY,
  crc INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
`
