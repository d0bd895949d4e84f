import { expect, test } from 'bun:test'
import { inStreamError, toErrorResponse } from './errors.ts'

const answer = async (status: number, body: unknown, headers: Record<string, string> = {}) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await toErrorResponse(new Response(text, { status, headers }), 'r1')
  const { error } = (await response.json()) as { error: Record<string, unknown> }
  return { status: response.status, headers: response.headers, error }
}

const cases: [number, unknown, number, Record<string, unknown>][] = [
  [
    404,
    { error: "model 'm' not found" },
    404,
    { type: 'invalid_request_error', code: 'model_not_found', param: 'model', message: "model 'm' not found" },
  ],
  [404, '404 page not found', 502, { type: 'server_error', code: 'bad_gateway' }],
  [400, { error: 'm does not support tools' }, 400, { type: 'invalid_request_error', code: null, message: 'm does not support tools' }],
  [400, { error: 'the input length exceeds the context length' }, 400, { code: 'context_length_exceeded' }],
  [
    401,
    { error: 'unauthorized', signin_url: 'https://ollama.com/connect?key=abc' },
    401,
    { type: 'server_error', message: 'Ollama refused the request of the gateway.' },
  ],
  [403, '', 403, { type: 'server_error' }],
  [429, { error: 'too many requests' }, 429, { type: 'rate_limit_error', code: 'rate_limit_exceeded' }],
  [500, { error: 'boom' }, 500, { type: 'server_error', code: null, message: 'boom' }],
  [500, '<html>', 500, { type: 'server_error', message: 'Ollama returned status 500' }],
  [501, { error: 'Start it with `--embeddings`' }, 501, { type: 'server_error', code: 'unsupported_operation', param: 'model' }],
  [503, { error: 'server busy' }, 503, { type: 'service_unavailable', message: 'server busy' }],
]

test.each(cases)('%d %j becomes %d %j', async (status, body, expected, error) => {
  const answered = await answer(status, body)
  expect(answered.status).toBe(expected)
  expect(answered.error).toMatchObject({ ...error, request_id: 'r1' })
})

test('when to come back is passed on', async () => {
  const { headers } = await answer(503, { error: 'busy' }, { 'retry-after': '7' })
  expect(headers.get('retry-after')).toBe('7')
})

test("the runner's body, which Ollama passes on as one string, is unpacked", async () => {
  const inner = { error: { code: 400, message: 'request (9 tokens) exceeds the available context size (4 tokens)', type: 'exceed' } }
  const { error } = await answer(400, { error: JSON.stringify(inner) })
  expect(error).toMatchObject({ message: inner.error.message, code: 'context_length_exceeded' })
})

test('paths, URLs and addresses stay inside', async () => {
  const said =
    'open /root/.ollama/models/blobs/sha256-ab: Post "http://127.0.0.1:4071/completion": dial tcp 10.0.0.5:443 or [::1]:80: refused'
  const { error } = await answer(500, { error: said })
  expect(error.message).toBe('open <path>: Post "<url>": dial tcp <address> or <address>: refused')
  expect(inStreamError(said).error.message).toBe(error.message as string)
})

test('inside a stream', () => {
  expect(inStreamError('boom')).toEqual({ error: { message: 'boom', type: 'server_error', param: null, code: null } })
})
