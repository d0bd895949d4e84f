/**
 * What the ledger keeps in SQLite. Days are counted from 1970-01-01 UTC. Keys may live in Redis and outlive nothing here,
 * so no row refers to one.
 */
export const ledgerTables = `
  -- what this instance settled, by the day of the reservation; overrun is the part of tokens that was not reserved
  CREATE TABLE ledger_spent (
    key_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    overrun INTEGER NOT NULL,
    PRIMARY KEY (key_id, day)
  ) STRICT, WITHOUT ROWID;

  -- reservations that are not over; what a start finds here is charged
  CREATE TABLE ledger_open (
    id INTEGER PRIMARY KEY,
    key_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    estimate INTEGER NOT NULL
  ) STRICT;

  -- what other instances had settled when they were last heard of, by period: the days from first to before last
  CREATE TABLE ledger_seen (
    key_id INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    instance TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    PRIMARY KEY (key_id, first, last, instance)
  ) STRICT, WITHOUT ROWID;

  -- one row: who this instance is among others, and how often it was started
  CREATE TABLE ledger_self (
    name TEXT NOT NULL,
    starts INTEGER NOT NULL
  ) STRICT;
`
