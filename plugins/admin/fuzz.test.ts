import { expect, test } from 'bun:test'
import { seededRandom } from '../../core/testing/random.ts'
import { adminKey, everything, openAdminHouse } from './testing/house.ts'
import { type Malformed, malformedRequest } from './testing/malformed.ts'

const refusals = [400, 404, 405, 409, 413, 415]

test('5000 malformed requests: each is refused in the envelope, none is a bug, nothing changes', async () => {
  const seed = Number(process.env.FUZZ_SEED ?? 1)
  const models = [{ name: 'smart', targets: [{ backend: 'up' }] }]
  await using house = await openAdminHouse({ yaml: { models } })
  const { key } = (await house.ask('POST', '/admin/keys', { name: 'one' })).json
  await house.ask('POST', '/admin/models', { name: 'mine', backend: 'vllm', base_url: 'http://192.0.2.1:8000' })
  const before = await everything(house.records)

  const random = seededRandom(seed)
  const statuses: Record<number, number> = {}
  const wrong: unknown[] = []
  const send = async ({ method, path, body, headers }: Malformed) => {
    const response = await fetch(house.url + path, {
      method,
      ...(body !== undefined && { body }),
      headers: { 'x-api-key': adminKey, ...headers },
    })
    const text = await response.text()
    statuses[response.status] = (statuses[response.status] ?? 0) + 1
    if (!refusals.includes(response.status) || !isEnvelope(text))
      wrong.push({ method, path, body: body?.slice(0, 200), headers, status: response.status, text: text.slice(0, 300) })
  }
  for (let round = 0; round < 100; round++) await Promise.all(Array.from({ length: 50 }, () => send(malformedRequest(random))))

  expect({ seed, wrong }).toEqual({ seed, wrong: [] })
  expect(await everything(house.records)).toEqual(before)
  expect(Object.values(statuses).reduce((sum, count) => sum + count, 0)).toBe(5000)
  for (const status of [400, 404, 405, 409, 415]) expect(statuses[status]).toBeGreaterThan(10)
  expect(house.lines.filter(({ level }) => level === 'error')).toEqual([])
  expect(JSON.stringify(house.lines)).not.toContain(key)
}, 60_000)

function isEnvelope(text: string): boolean {
  const { error } = JSON.parse(text)
  return Object.keys(error).join() === 'message,type,param,code,request_id' && error.message.length > 0 && error.message.length < 1000
}
