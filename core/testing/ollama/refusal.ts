import type { Refusal } from '../behaviour/scenario.ts'
import type { Reply } from '../behaviour/writer.ts'

/** What Ollama says instead of an answer (server/routes.go, handleScheduleError and before it). */
export function refusal(why: Refusal | 'fail', model: string): Reply {
  const say = (status: number, error: string, headers?: Record<string, string>): Reply => ({
    status,
    body: { error },
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  })
  switch (why) {
    case 'missing':
      return say(404, `model '${model}' not found`)
    case 'notools':
      return say(400, `registry.ollama.ai/library/${model.includes(':') ? model : `${model}:latest`} does not support tools`)
    case 'overflow':
      // Ollama passes its runner's whole body on, as one string.
      return say(400, JSON.stringify({ error: overflow }))
    case 'busy':
      return say(429, 'too many requests', { 'retry-after': '60' })
    case 'busy-once':
      return say(429, 'too many requests', { 'retry-after': '1' })
    case 'down':
      return say(503, 'server busy, please try again.  maximum pending requests exceeded')
    case 'loading':
      return say(503, 'server busy, please try again.  maximum pending requests exceeded')
    default:
      return say(500, 'boom')
  }
}

const overflow = {
  code: 400,
  message: 'request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it',
  type: 'exceed_context_size_error',
  n_prompt_tokens: 9000,
  n_ctx: 4096,
}
