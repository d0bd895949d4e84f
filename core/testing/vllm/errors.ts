import type { Refusal } from '../behaviour/scenario.ts'
import type { Reply } from '../behaviour/writer.ts'

/** The headers uvicorn puts on vLLM's answers. */
export const vllmHeaders = { 'content-type': 'application/json', server: 'uvicorn' }

interface VllmError {
  readonly status: number
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly headers?: Readonly<Record<string, string>>
}

/** vLLM's error body, from vllm-project/vllm vllm/entrypoints/openai/engine/protocol.py (ErrorInfo): the code is a number. */
export function vllmError(status: number, message: string, type = 'BadRequestError', param: string | null = null): Reply {
  return { status, body: { error: { message, type, param, code: status } }, headers: vllmHeaders }
}

/** What vLLM's Messages API makes of the same errors (vllm/entrypoints/anthropic/api_router.py). */
export function vllmMessagesRefusal(why: Refusal | 'fail', model: string): Reply {
  const { status, message, type, headers } = faultOf(why, model)
  return { status, body: { type: 'error', error: { type, message } }, headers: { ...vllmHeaders, ...headers } }
}

/** What vLLM says instead of an answer. */
export function vllmRefusal(why: Refusal | 'fail', model: string): Reply {
  const { status, message, type, param, headers } = faultOf(why, model)
  return { ...vllmError(status, message, type, param), headers: { ...vllmHeaders, ...headers } }
}

function faultOf(why: Refusal | 'fail', model: string): VllmError {
  const fault = (status: number, message: string, type: string, param: string | null = null) => ({ status, message, type, param })
  switch (why) {
    case 'missing':
      return fault(404, `The model \`${model}\` does not exist.`, 'NotFoundError', 'model')
    case 'notools':
      return fault(400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set', 'BadRequestError')
    case 'overflow': {
      const asked = 'You passed 9000 input tokens and requested 0 output tokens.'
      const message = `${asked} However, the model's context length is only 4096 tokens. Please reduce the length of the input prompt.`
      return fault(400, message, 'BadRequestError', 'input_tokens')
    }
    // vLLM queues without a limit; a 429 comes from a proxy in front of it.
    case 'busy':
      return { ...fault(429, 'Too many requests', 'TooManyRequests'), headers: { 'retry-after': '60' } }
    case 'busy-once':
      return { ...fault(429, 'Too many requests', 'TooManyRequests'), headers: { 'retry-after': '1' } }
    case 'down':
    case 'loading':
      return fault(503, 'The server is currently unavailable', 'ServiceUnavailableError')
    default:
      return fault(500, 'Internal server error', 'InternalServerError')
  }
}
