import { expect } from 'bun:test'
import type { RedisServer } from '../../../testing/redis.ts'
import { storedSecret, wholeAudit } from '../../contract/under-test.ts'
import type { KeyIndex } from '../../key-index.ts'
import type { agreed } from './agree.ts'
import type { SharedInstance } from './open-shared.ts'

/** A change that somebody asked for, and what he was told. Each has a quota of its own, which says whose a row is. */
export interface Try {
  readonly by: number
  readonly what: 'put' | 'delete'
  /** The name of the key, which stays, whatever its id becomes. */
  readonly name: string
  readonly quota: number
  readonly enabled: boolean
  /** The version it has made; undefined when it was refused, and may have happened or not. */
  readonly version: number | undefined
}

type State = Awaited<ReturnType<typeof agreed>>

/** Each change that was said to be made has been made, or a newer one of the same key, and nothing else has. */
export function checkTries({ keys, models, settings }: State, tries: readonly Try[], losses: boolean): void {
  const byName = Map.groupBy(tries, ({ name }) => name)
  for (const name of keys.map(key => key.name)) expect(byName.has(name)).toBe(true)
  for (const list of [keys.map(({ id }) => id), keys.map(({ name }) => name), models.map(({ id }) => id), models.map(({ name }) => name)]) {
    expect(new Set<unknown>(list).size).toBe(list.length)
  }
  for (const [name, mine] of byName) {
    const key = keys.find(one => one.name === name)
    const done = mine.filter(({ version }) => version !== undefined)
    if (done.some(({ what }) => what === 'delete')) expect({ name, key }).toEqual({ name, key: undefined })
    if (!key) {
      expect({ name, gone: done.length === 0 || mine.some(({ what }) => what === 'delete') }).toEqual({ name, gone: true })
      continue
    }
    const source = mine.find(({ quota, what }) => quota === key.quota && what === 'put')
    expect({ name, source: source?.enabled }).toEqual({ name, source: key.enabled })
    const latest = Math.max(0, ...done.map(({ version = 0 }) => version))
    expect(key.version).toBeGreaterThanOrEqual(latest)
    const equals = done.filter(({ version }) => version === key.version)
    if (equals.some(({ enabled }) => !enabled)) expect({ name, enabled: key.enabled }).toEqual({ name, enabled: false })
    // without a loss there is one order of all changes, and no version twice
    if (!losses) expect(new Set(done.map(({ version }) => version)).size).toBe(done.length)
    if (!losses && source?.version !== undefined) expect({ name, version: source.version }).toEqual({ name, version: latest })
  }
  expect(settings.closed).toBe(tries.some(({ version }) => version !== undefined) || settings.closed)
}

/** Each change is in the audit of whoever made it, once; one that was refused and happened all the same, too. */
export async function checkAudits(instances: readonly SharedInstance[], { keys }: State, tries: readonly Try[]): Promise<void> {
  const audits = await Promise.all(instances.map(({ records }) => wholeAudit(records)))
  const told = (by: number, { quota, what, name }: Try) =>
    audits[by]?.filter(row =>
      what === 'delete'
        ? row.what === 'key.delete' && row.subjectName === name
        : (row.what === 'key.create' || row.what === 'key.update') && (row.after as { readonly quota?: number }).quota === quota,
    ).length
  for (const one of tries) {
    const happened = one.version !== undefined || keys.some(({ quota }) => one.what === 'put' && quota === one.quota)
    const found = told(one.by, one)
    if (one.what === 'put') expect({ one, found, happened }).toEqual({ one, found: happened ? 1 : Math.min(found ?? 0, 1), happened })
    else if (happened) expect({ one, found }).toEqual({ one, found: Math.max(1, found ?? 0) })
  }
}

/** Each change counts a version, and is in the audit of one instance once: as long as nothing is lost, their numbers are the same. */
export async function checkSums(instances: readonly SharedInstance[]): Promise<void> {
  const audits = (await Promise.all(instances.map(({ records }) => wholeAudit(records)))).flat()
  for (const kind of ['key', 'model']) {
    const sql = 'SELECT sum(version) AS versions FROM shared_rows WHERE kind = ?'
    const found = instances[0]?.local.database.query<{ readonly versions: number | null }, [string]>(sql).get(kind)
    expect({ kind, rows: audits.filter(({ what }) => what.startsWith(kind)).length }).toEqual({ kind, rows: found?.versions ?? 0 })
  }
}

/** The indexes know the secrets that count, and no others. */
export function checkIndexes(indexes: readonly KeyIndex[], { keys }: State, secrets: number): void {
  const owners = new Map(keys.map(({ sha256, id }) => [sha256, id]))
  for (const index of indexes) {
    expect(index.size).toBe(keys.length)
    for (let secret = 1; secret <= secrets; secret++) {
      const { sha256 } = storedSecret(secret)
      expect({ secret, id: index.find(Uint8Array.fromHex(sha256))?.id }).toEqual({ secret, id: owners.get(sha256) })
    }
    for (const key of keys) expect(index.get(key.id)).toMatchObject({ version: key.version, enabled: key.enabled, quota: key.quota })
  }
}

/** What Redis has is what the instances have noted of it. */
export async function checkRedis(server: RedisServer, instances: readonly SharedInstance[]): Promise<void> {
  const fields = (await server.command('HGETALL', 'gatehouse:records')) as Readonly<Record<string, string>>
  const rows = Object.entries(fields).filter(([field]) => /^(key|model|settings):\d+$/.test(field))
  const there = Object.fromEntries(rows.map(([field, row]) => [field, row.split(' ').slice(0, 5).join(' ')]))
  for (const { local } of instances) {
    const sql = "SELECT kind || ':' || id, version || ' ' || state || ' ' || at || ' ' || change || ' ' || origin FROM shared_rows"
    expect(Object.fromEntries(local.database.query(sql).values())).toEqual(there)
  }
}
