import { expect, test } from 'bun:test'
import { seededRandom } from '../testing/random.ts'
import { type ReadRequest, readRequest, wireWith } from './request.ts'

const read = (body: string | Uint8Array<ArrayBuffer>, operation = 'chat.completions'): Promise<ReadRequest> =>
  readRequest(new Request('http://localhost/', { method: 'POST', body }), { as: 'operation', operation, limit: 1e7 })
const text = (bytes: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)

test('fields that are added stand in front of the client’s very bytes', async () => {
  const own = '{ "model":"m",\n"messages":[{"role":"user","content":"\\u00e9 é"}],"seed":12345678901234567890,"x":1.0 }'
  const body = await read(own)
  const wire = text(wireWith(body, { ...body.payload, max_tokens: 5, stream_options: { include_usage: true } }))
  expect(wire).toBe(`{"max_tokens":5,"stream_options":{"include_usage":true},${own.slice(1)}`)
  expect(text(wireWith(body, { ...body.payload }))).toBe(own)
  expect(text(wireWith(body, { ...body.payload, nothing: undefined }))).toBe(own)
})

test('what is changed or taken away is written anew, long numbers as they were', async () => {
  const body = await read('{"model":"m","messages":[{"role":"user","content":"x"}],"seed":12345678901234567890,"max_tokens":null}')
  expect(text(wireWith(body, { ...body.payload, max_tokens: 5 }))).toBe(
    '{"model":"m","messages":[{"role":"user","content":"x"}],"seed":12345678901234567890,"max_tokens":5}',
  )
  const { seed: _, ...without } = body.payload
  expect(text(wireWith(body, { ...without, extra: 1 }))).toBe(
    '{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":null,"extra":1}',
  )
})

test.each(['{}', ' {\t}\r\n', '\ufeff{ }', '{"prompt":"}"}', '\ufeff \n{"a":{}}'])('%j takes fields too', async own => {
  const body = await read(own, 'infill')
  const wire = wireWith(body, { ...body.payload, n_predict: 5 })
  expect(JSON.parse(new TextDecoder().decode(wire))).toEqual({ n_predict: 5, ...JSON.parse(own.replace('\ufeff', '')) })
})

test('whatever is added to whatever object, a server reads both', async () => {
  const random = seededRandom(7)
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T
  const names = ['a', '{', '}', '"', '\\', '__proto__', 'é', ' ', 'n_predict', 'constructor']
  for (let round = 0; round < 2000; round++) {
    const object = Object.fromEntries(
      Array.from({ length: Math.floor(random() * 4) }, () => [pick(names), pick([1, '}', '{', { '}': '{' }, [], null, true])]),
    )
    const body = await read(JSON.stringify(object, null, pick([0, 0, 3])), 'infill')
    const added = { [pick(['x', '"', 'ü{'])]: pick([1, { a: [] }, 'text']) }
    const written = JSON.parse(text(wireWith(body, { ...body.payload, ...added })))
    if (written.model === '') delete written.model // of an editor that names none
    expect(written).toEqual({ ...object, ...added })
  }
})
