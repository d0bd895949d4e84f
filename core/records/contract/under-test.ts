import type { AuditRecord } from '../audit.ts'
import type { KeyRecord, KeySettings, StoredSecret } from '../keys.ts'
import type { Records } from '../records.ts'

/** Records whose clock the suite can move; they are empty. */
export interface RecordsUnderTest {
  readonly records: Records
  /** Milliseconds since 1970, as the records see it. */
  readonly now: () => number
  advance(ms: number): void
}

/** Opens records for one test; whoever gives it closes them after the test. */
export type OpenRecords = () => RecordsUnderTest | Promise<RecordsUnderTest>

/** Who makes the changes. */
export const admin = { who: 'admin' }

/** A key as the admin API makes it when only a name is given. */
export const keySettings = (change: Partial<KeySettings> = {}): KeySettings => ({
  name: 'a key',
  enabled: true,
  quota: 1_000_000,
  quotaPeriod: 'total',
  rateLimit: 60,
  tokensPerMinute: null,
  maxConcurrency: null,
  allowedIps: [],
  allowedModels: [],
  allowedEndpoints: null,
  allowedTools: [],
  cacheScope: null,
  expiresAt: null,
  ...change,
})

/** A secret that nobody has; another one for each number. */
export const storedSecret = (number: number): StoredSecret => {
  const sha256 = new Bun.CryptoHasher('sha256').update(`fake ${number}`).digest('hex')
  return { sha256, prefix: `sk-${sha256.slice(0, 7)}` }
}

/** All keys there are. */
export async function allKeys({ keys }: Records): Promise<KeyRecord[]> {
  return (await Array.fromAsync(keys.all())).flat()
}

/** The whole audit, the oldest first. */
export async function wholeAudit({ audit }: Records): Promise<AuditRecord[]> {
  const rows: AuditRecord[] = []
  let page = await audit.list({ limit: 1000 })
  for (;;) {
    rows.push(...page.rows)
    if (page.next === null) return rows.reverse()
    page = await audit.list({ after: page.next, limit: 1000 })
  }
}

/** For results that may also be `missing`, `conflict` or `taken`. */
export function made<T extends object>(result: T | string): T {
  if (typeof result === 'string') throw new Error(`not made: ${result}`)
  return result
}
