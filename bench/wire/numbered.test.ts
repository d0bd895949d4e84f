import { expect, test } from 'bun:test'
import { createNumbered, numberedPrompt } from './numbered.ts'
import { createRequestReader } from './request-reader.ts'
import { streamRequest, wholeRequest } from './requests.ts'

const url = new URL('http://127.0.0.1:1')

function bodiesOf(...requests: readonly Buffer[]): unknown[] {
  const bodies: unknown[] = []
  const feed = createRequestReader(({ body }) => bodies.push(JSON.parse(body.toString())))
  for (const request of requests) feed(request)
  return bodies
}

test('only the number of the prompt differs, and all of them are valid requests', () => {
  const numbered = createNumbered(streamRequest(url, 0, 50, { prompt: numberedPrompt }))
  const requests = [0, 7, 123_456_789_012, 10].map(prompt => Buffer.from(numbered(prompt)))
  expect(bodiesOf(...requests)).toEqual(
    ['000000000000', '000000000007', '123456789012', '000000000010'].map(number => ({
      model: 'bench',
      messages: [{ role: 'user', content: `Say something short about wave ${number}.` }],
      stream: true,
      seed: 0,
      max_tokens: 50,
    })),
  )
})

test('a request without room for a number is refused', () => {
  expect(() => createNumbered(wholeRequest(url))).toThrow('no room')
})
