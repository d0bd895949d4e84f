import { adminKey } from './gatehouse.ts'

/** What a caching gatehouse says of its cache; the counts are since its start. */
export interface CacheReport {
  readonly entries: number
  readonly bytes: number
  readonly hits: number
  readonly misses: number
  readonly joins: number
}

/** Asks for `GET /admin/cache`. */
export async function cacheReport(url: string): Promise<CacheReport> {
  const response = await fetch(`${url}/admin/cache`, { headers: { 'x-api-key': adminKey } })
  if (!response.ok) throw new Error(`GET /admin/cache: status ${response.status}: ${(await response.text()).slice(0, 200)}`)
  return (await response.json()) as CacheReport
}
