import * as v from 'valibot'
import { duration, integer } from './amounts.ts'
import { key, list, mapping } from './settings.ts'
import { baseUrl, choice, headerValue, secret, text } from './texts.ts'

const headerName = v.pipe(v.string(), v.regex(/^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/, 'is not a header name'))

const type = <const Word extends string>(...words: readonly Word[]) => key(choice(...words), 'What kind of server it is.')

const shared = {
  api_key: v.optional(key(secret, 'The key gatehouse sends to this server.')),
  headers: v.optional(key(mapping(v.record(headerName, headerValue)), 'Headers to send with every request to this server.'), {}),
  // What is left out here comes from the `timeouts` of the whole config.
  timeouts: v.optional(
    key(
      mapping(
        v.strictObject({
          first_token: v.optional(
            key(duration({ none: true }), 'Longest wait for the first byte of an answer; left out, that of the config.'),
          ),
          idle: v.optional(key(duration({ none: true }), 'Longest silence between two bytes of an answer; left out, that of the config.')),
        }),
      ),
      'Timeouts of this server.',
    ),
    {},
  ),
  slots: v.optional(key(integer(1), 'Requests that each of its models gets at once; others wait in a queue. Left out, as many as come.')),
  models: v.optional(key(list(text), 'The models it serves, for when it cannot be asked.')),
}

/** One entry of `backends`. Which keys there are depends on `type`. */
export const backendSchema = mapping(
  v.variant('type', [
    v.strictObject({
      type: type('ollama', 'vllm', 'llamacpp', 'openai-compatible', 'api3'),
      base_url: key(baseUrl, 'Address of the server, with or without /v1 at its end.'),
      ...shared,
    }),
    v.strictObject({
      type: type('openai'),
      base_url: v.optional(key(baseUrl, 'Address of the API, with or without /v1 at its end.'), 'https://api.openai.com'),
      ...shared,
    }),
    v.strictObject({
      type: type('echo'),
      delay: v.optional(key(duration({ zero: true }), 'Pause before each word.'), '0s'),
      slots: shared.slots,
      models: shared.models,
    }),
  ]),
)

/** Every `type` there is, for messages. */
export const backendTypes = ['ollama', 'openai', 'vllm', 'llamacpp', 'openai-compatible', 'api3', 'echo'] as const
