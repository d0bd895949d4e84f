import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type House, openHouse } from '../../../core/testing/open-house.ts'
import { adminKey } from '../../house/gatehouse.ts'
import { startUpstream, type UpstreamProcess } from '../../house/upstream.ts'
import { createFreshPrompts, measureRow, type Row, type RowOrder } from './row.ts'

let upstream: UpstreamProcess
let caching: House
let plain: House

beforeAll(async () => {
  upstream = await startUpstream({ intervalMs: 0 })
  const yaml = { backends: { up: { type: 'openai-compatible', base_url: upstream.url } }, admin: { api_key: adminKey } }
  ;[caching, plain] = await Promise.all([openHouse({ yaml: { ...yaml, cache: { enabled: true } } }), openHouse({ yaml })])
})
afterAll(async () => {
  await Promise.all([caching.stop(), plain.stop()])
  await upstream[Symbol.asyncDispose]()
})

const freshPrompts = createFreshPrompts()
const measure = (cache: Row['cache'], { url }: Pick<House, 'url'>, more: Partial<RowOrder> = {}) => {
  const row = { name: `row ${cache}`, way: { name: 'gatehouse', url, rival: false }, ...(cache && { cache }) }
  return measureRow(row, { connections: 5, seconds: 0.1, warmUpSeconds: 0, ...more }, upstream, freshPrompts)
}

describe.each([undefined, 20])('what a real cache does is what its rows expect (events: %p)', events => {
  const more = events === undefined ? {} : { events }
  test.each([
    ['hit', 0, 0],
    ['miss', 1, 1],
    ['joined', 0.2, 0.2],
    ['hit', 0, 0],
  ] as const)('%s', async (cache, upstreamShare, missedShare) => {
    const { total, missed, wrong, ...result } = await measure(cache, caching, more)
    expect(wrong).toBe(0)
    expect(total).toBeGreaterThanOrEqual(5)
    expect(result.upstreamShare).toBeCloseTo(upstreamShare, 10)
    expect(missed / total).toBeCloseTo(missedShare, 10)
    if (cache === 'joined') expect(result.joinedShare).toBeGreaterThan(0)
    else expect(result.joinedShare).toBe(0)
  })
})

test('rows without a cache ask the upstream every time', async () => {
  expect(await measure(undefined, plain)).toMatchObject({ upstreamShare: 1, joinedShare: 0, wrong: 0 })
  await expect(measure(undefined, caching)).rejects.toThrow(/did not come from the upstream/)
})

test('a gatehouse that does not cache ends the run', async () => {
  for (const cache of ['hit', 'miss', 'joined'] as const) await expect(measure(cache, plain)).rejects.toThrow(`row ${cache}: `)
})
