import { ledgerTables } from '../ledger/tables.ts'
import { sharedTables } from '../redis/tables.ts'
import type { Migration } from './migrate.ts'

/**
 * The schema, step by step. A step that was released is never changed, so that every file of the same `user_version`
 * is the same; what comes later is added below. Times are milliseconds since 1970, lists are JSON.
 */
export const migrations: readonly Migration[] = [
  {
    id: 1,
    name: 'settings and audit',
    sql: `
      CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        who TEXT NOT NULL,
        what TEXT NOT NULL,
        subject_id INTEGER,
        subject_name TEXT,
        "before" TEXT,
        "after" TEXT
      ) STRICT;`,
  },
  {
    id: 2,
    name: 'keys',
    // AUTOINCREMENT: an id is never given twice, because usage and audit outlive the key
    sql: `
      CREATE TABLE keys (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        folded_name TEXT NOT NULL,
        prefix TEXT NOT NULL,
        sha256 TEXT NOT NULL UNIQUE,
        previous_sha256 TEXT,
        grace_until INTEGER,
        enabled INTEGER NOT NULL,
        quota INTEGER,
        quota_period TEXT NOT NULL,
        rate_limit INTEGER,
        tokens_per_minute INTEGER,
        max_concurrency INTEGER,
        allowed_ips TEXT NOT NULL,
        allowed_models TEXT NOT NULL,
        allowed_endpoints TEXT,
        allowed_tools TEXT NOT NULL,
        cache_scope TEXT,
        expires_at INTEGER,
        created_at INTEGER NOT NULL,
        last_used_at INTEGER,
        version INTEGER NOT NULL
      ) STRICT;`,
  },
  {
    id: 3,
    name: 'models',
    sql: `
      CREATE TABLE models (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        folded_name TEXT NOT NULL,
        backend TEXT NOT NULL,
        base_url TEXT,
        upstream_model TEXT,
        enabled INTEGER NOT NULL,
        source TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        version INTEGER NOT NULL
      ) STRICT;`,
  },
  {
    id: 4,
    name: 'usage',
    // no reference to keys: they may live in Redis, and what a deleted key used stays
    sql: `
      CREATE TABLE usage (
        day TEXT NOT NULL,
        key_id INTEGER NOT NULL,
        user TEXT NOT NULL,
        model TEXT NOT NULL,
        target TEXT NOT NULL,
        requests INTEGER NOT NULL,
        cached INTEGER NOT NULL,
        errors INTEGER NOT NULL,
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        latency_ms INTEGER NOT NULL,
        first_token_ms INTEGER NOT NULL,
        first_tokens INTEGER NOT NULL,
        PRIMARY KEY (day, key_id, user, model, target)
      ) STRICT, WITHOUT ROWID;`,
  },
  { id: 5, name: 'ledger', sql: ledgerTables },
  { id: 6, name: 'what is shared', sql: sharedTables },
]
