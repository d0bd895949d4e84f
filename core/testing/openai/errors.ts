import type { Refusal } from '../behaviour/scenario.ts'
import type { Reply } from '../behaviour/writer.ts'
import { openaiHeaders } from './headers.ts'

interface More {
  readonly type?: string
  readonly param?: string
  readonly code?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The error of a server that failed. */
export const overloaded = {
  message: 'The server had an error while processing your request. Sorry about that!',
  type: 'server_error',
  param: null,
  code: null,
}

/** OpenAI's error body, from openai/openai-openapi (Error) as its API answers today. */
export function openaiError(status: number, message: string, more: More = {}): Reply {
  const { type = 'invalid_request_error', param = null, code = null, headers = {} } = more
  return { status, body: { error: { message, type, param, code } }, headers: { ...openaiHeaders(), ...headers } }
}

/** OpenAI's 401, without a key and with a wrong one. */
export function openaiUnauthorized(authorization: string | undefined): Reply {
  if (authorization === undefined) {
    return openaiError(
      401,
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    )
  }
  const end = authorization.slice(-4)
  const message = `Incorrect API key provided: sk-fake*${end}. You can find your API key at https://platform.openai.com/account/api-keys.`
  return openaiError(401, message, { code: 'invalid_api_key' })
}

/** What OpenAI says instead of an answer. */
export function openaiRefusal(why: Refusal | 'fail', model: string): Reply {
  switch (why) {
    case 'missing':
      return openaiError(404, `The model \`${model}\` does not exist or you do not have access to it.`, { code: 'model_not_found' })
    case 'notools':
      return openaiError(400, 'tools is not supported in this model. For a list of supported models, refer to the documentation.')
    case 'overflow': {
      const message = "This model's maximum context length is 4096 tokens. However, your messages resulted in 9000 tokens."
      return openaiError(400, message, { param: 'messages', code: 'context_length_exceeded' })
    }
    case 'busy':
      return rateLimited(model, 60)
    case 'busy-once':
      return rateLimited(model, 1)
    case 'down':
    case 'loading':
      return openaiError(503, 'The engine is currently overloaded, please try again later', { type: 'service_unavailable_error' })
    default:
      return openaiError(500, overloaded.message, { type: overloaded.type })
  }
}

function rateLimited(model: string, seconds: number): Reply {
  const message = `Rate limit reached for ${model} on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in ${seconds}s.`
  return openaiError(429, message, {
    type: 'requests',
    code: 'rate_limit_exceeded',
    headers: {
      'retry-after': String(seconds),
      'retry-after-ms': String(seconds * 1000),
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': `${seconds}s`,
    },
  })
}
