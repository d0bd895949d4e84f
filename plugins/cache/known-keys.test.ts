import { describe, expect, test } from 'bun:test'
import type { Payload, ResolvedModel } from 'gatehouse'
import { type Asked, keyOf, type Surroundings } from './key.ts'
import { createKeyOf } from './known-keys.ts'
import { randomOf } from './testing/random.ts'

const target = { backend: 'home', model: 'm', weight: 1, set: {}, strip: [] }
const model: ResolvedModel = { asked: 'm', name: 'm', strategy: 'failover', targets: [target] }
const around: Surroundings = { model, scope: 'all', below: '', config: 'c' }

const digest = (text: string) => Bun.SHA256.hash(text, 'hex')

const asked = (body: string, path = '/v1/chat/completions', headers: Record<string, string> = {}): Asked => {
  const request = new Request(`http://localhost${path}`, { method: 'POST', headers })
  const bytes = new TextEncoder().encode(body)
  return {
    operation: 'chat.completions',
    path,
    request,
    payload: JSON.parse(body) as Payload,
    wire: () => bytes,
  }
}
const chat = (content: string) => JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] })

describe('a key that is remembered', () => {
  test('is the key, whatever is asked and however often', () => {
    const known = createKeyOf(digest)
    const random = randomOf(11)
    const letters = ['a', 'é', '海', '🌊', '"', '\\\\', '\u0080', '\u009f', 'ÿ']
    for (let i = 0; i < 5000; i++) {
      const content = Array.from({ length: random() * 4 }, () => letters[Math.floor(random() * letters.length)]).join('')
      const one = asked(chat(random() < 0.1 ? content.repeat(600) : content))
      expect(known(one, around)).toBe(keyOf(one, around))
    }
  })

  test('is that of what surrounds the request, too', () => {
    const known = createKeyOf(digest)
    const body = chat('hi')
    const keys = [
      known(asked(body), around),
      known(asked(body, '/v1/completions'), around),
      known(asked(body, undefined, { 'openai-beta': 'x' }), around),
      known(asked(body), { ...around, scope: 'key:1' }),
      known(asked(body), { ...around, below: 'card' }),
      known(asked(body), { ...around, config: 'd' }),
      known(asked(body), { ...around, model: { ...model, targets: [] } }),
      known(asked(chat('ho')), around),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('is still right when more came than are remembered', () => {
    const known = createKeyOf(digest)
    for (let i = 0; i < 2500; i++) known(asked(chat(`${i}`)), around)
    expect(known(asked(chat('7')), around)).toBe(keyOf(asked(chat('7')), around))
  })

  test('of a large body is made by whoever hashes large ones', async () => {
    const known = createKeyOf(async text => digest(text))
    const one = asked(chat('x'.repeat(100_000)))
    for (let i = 0; i < 2; i++) expect(await known(one, around)).toBe(await keyOf(one, around))
  })

  test('is none for numbers that cannot be told apart, each time', () => {
    const known = createKeyOf(digest)
    const large = asked(`{"model":"m","seed":12345678901234567890,"messages":[{"role":"user","content":"${'x'.repeat(300_000)}"}]}`)
    expect(known(large, around)).toBeUndefined()
    expect(known(large, around)).toBeUndefined()
  })
})
