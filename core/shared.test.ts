import { expect, test } from 'bun:test'
import { openHouse } from './testing/open-house.ts'

/** A plugin that counts its requests beyond reloads, and logs when what it keeps is closed. */
const counter = `
import { definePlugin } from 'gatehouse'
export default definePlugin({
  name: 'counter',
  setup(_, gateway) {
    const kept = gateway.shared('counter', () => {
      gateway.log.info('counter made')
      return { count: 0, close: () => void gateway.log.info({ count: kept.count }, 'counter closed') }
    })
    if (gateway.config.heartbeat === 7000) throw new Error('not with seven')
    return { handle: (ctx, next) => (ctx.headers.set('x-count', String(++kept.count)), next()) }
  },
})`
const yaml = { backends: { up: { type: 'echo' } }, pipeline: ['auth', './counter.ts', 'router'] }
const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'x' }] })

test('what a plugin shares is made once, outlives reloads, and is closed once, with the house', async () => {
  const house = await openHouse({ yaml, files: { 'counter.ts': counter } })
  const count = async () => (await fetch(`${house.url}/v1/chat/completions`, { method: 'POST', body })).headers.get('x-count')
  const said = (words: string) => house.lines.filter(({ message }) => message === words)
  expect(await count()).toBe('1')
  await house.reload({ ...yaml, heartbeat: '5s' })
  expect(await count()).toBe('2')
  await expect(house.reload({ ...yaml, heartbeat: '7s' })).rejects.toThrow('not with seven')
  expect(await count()).toBe('3')
  expect([said('counter made').length, said('counter closed').length]).toEqual([1, 0])
  await house.stop()
  expect(said('counter closed')).toMatchObject([{ count: 3 }])
})
