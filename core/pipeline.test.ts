import { describe, expect, test } from 'bun:test'
import { openHouse } from './testing/open-house.ts'

const backends = { up: { type: 'echo' } }
const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hi' }] })
const status = async (url: string, headers: Record<string, string> = {}) =>
  (await fetch(`${url}/v1/chat/completions`, { method: 'POST', body, headers })).status

/** All orders of some names. */
function orders(names: readonly string[]): string[][] {
  if (names.length <= 1) return [[...names]]
  return names.flatMap(name => orders(names.filter(other => other !== name)).map(rest => [name, ...rest]))
}

describe('whatever the order of the pipeline, nobody unknown is answered', () => {
  test.each(orders(['auth', 'limiter', 'cache', 'router']).map(order => [order.join(', '), order] as const))('%s', async (_, pipeline) => {
    const yaml = { backends, api_key: 'k', cache: { enabled: true }, pipeline }
    const guardsFirst = Math.max(pipeline.indexOf('auth'), pipeline.indexOf('limiter')) === 1
    if (!guardsFirst) {
      await expect(openHouse({ yaml })).rejects.toThrow(/^pipeline: (auth|limiter) must stand before (cache|router)/)
      return
    }
    await using house = await openHouse({ yaml })
    expect(await status(house.url, { 'x-api-key': 'k' })).toBe(200)
    expect(await status(house.url, { 'x-api-key': 'k' })).toBe(200)
    expect(await status(house.url)).toBe(401)
  })

  test('without auth nobody is known', async () => {
    await using house = await openHouse({ yaml: { backends, api_key: 'k', pipeline: ['limiter', 'router'] } })
    expect(await status(house.url, { 'x-api-key': 'k' })).toBe(401)
  })
})

test('a plugin that only brings a backend may stand anywhere, and one that is closed again leaves nothing', async () => {
  const bringer = `
    import { definePlugin } from 'gatehouse'
    export default definePlugin({ name: 'bringer', setup: (_, { log }) => ({ close: () => void log.info('bringer closed') }) })`
  await using house = await openHouse({
    yaml: { backends, pipeline: ['./bringer.ts', 'auth', 'router'] },
    files: { 'bringer.ts': bringer },
  })
  expect(await status(house.url)).toBe(200)
  await expect(house.reload({ backends, pipeline: ['./bringer.ts', 'router', 'auth'] })).rejects.toThrow('auth must stand before router')
  expect(house.lines.filter(({ message }) => message === 'bringer closed')).toHaveLength(1)
})
