import { expect, test } from 'bun:test'
import { describeError, presentable } from './upstream-error.ts'

test.each([
  ['see https://user:pw@10.0.0.5:8000/x?key=1 for more', 'see <url> for more'],
  ['cannot open /home/bob/models/q.gguf', 'cannot open <path>'],
  ['cannot open /nix/store/abc/model.gguf.', 'cannot open <path>'],
  ['no file C:/Users/bob/m.gguf or C:\\m\\n or \\\\box\\share', 'no file <path> or <path> or <path>'],
  ['at 10.1.2.3:8000 and localhost:11434', 'at <address> and <address>'],
  ['bad key sk-abcdef123456, AIzaSyA1234567890b, token=abc', 'bad key <key>, <key>, <key>'],
  ['eyJhbGciOiJI.eyJzdWIiOiIx.sig is not valid', '<key> is not valid'],
  [
    "model 'Qwen/Qwen3-32B' not found, use /v1/completions or /api/generate",
    "model 'Qwen/Qwen3-32B' not found, use /v1/completions or /api/generate",
  ],
  ['ratio 3/4 and 1/2/3', 'ratio 3/4 and 1/2/3'],
])('%s', (message, shown) => {
  expect(presentable(message)).toBe(shown)
})

test('codes and fields are words or nothing', () => {
  expect(describeError({ error: { message: 'x', code: 'http://10.0.0.5/x', param: '/home/bob', type: 'invalid_request_error' } })).toEqual({
    message: 'x',
    type: 'invalid_request_error',
  })
  expect(describeError({ error: { message: 'x', code: 'model_not_found', param: 'messages[0].content' } })).toEqual({
    message: 'x',
    code: 'model_not_found',
    param: 'messages[0].content',
  })
})

test("FastAPI's issues are told without the input they repeat", () => {
  expect(
    describeError({ detail: [{ loc: ['body', 'messages', 0], msg: 'field required', input: 'PROMPT', ctx: { a: 'PROMPT' } }] }),
  ).toEqual({
    message: 'body.messages.0: field required',
  })
})

test('no shape of an error, no error', () => {
  for (const body of [null, 'x', 7, {}, { error: 7 }, { error: {} }]) expect(describeError(body)).toBeUndefined()
})
