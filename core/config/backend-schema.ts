import * as v from 'valibot'
import { baseUrl, choice, duration, headerValue, list, mapping, secret, text } from './settings.ts'

const headerName = v.pipe(v.string(), v.regex(/^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/, 'is not a header name'))

const shared = {
  api_key: v.optional(secret),
  headers: v.optional(mapping(v.record(headerName, headerValue)), {}),
  // What is left out here comes from the `timeouts` of the whole config.
  timeouts: v.optional(
    mapping(v.strictObject({ first_token: v.optional(duration({ none: true })), idle: v.optional(duration({ none: true })) })),
    {},
  ),
  models: v.optional(list(text)),
}

/** One entry of `backends`. Which keys there are depends on `type`. */
export const backendSchema = mapping(
  v.variant('type', [
    v.strictObject({ type: choice('ollama', 'vllm', 'llamacpp', 'openai-compatible', 'api3'), base_url: baseUrl, ...shared }),
    v.strictObject({ type: choice('openai'), base_url: v.optional(baseUrl, 'https://api.openai.com'), ...shared }),
    v.strictObject({ type: choice('echo'), delay: v.optional(duration({ zero: true }), '0s'), models: shared.models }),
  ]),
)

/** Every `type` there is, for messages. */
export const backendTypes = ['ollama', 'openai', 'vllm', 'llamacpp', 'openai-compatible', 'api3', 'echo'] as const
