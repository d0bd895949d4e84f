import { invalidRequest } from '../../errors.ts'
import type { Operation } from '../../openai.ts'
import type { Call } from '../backend.ts'
import { toErrorResponse } from './errors.ts'
import type { Kit } from './respond.ts'

/** What Ollama's own server speaks besides the operations that are translated (server/routes.go, GenerateRoutes). */
export const forwarded: ReadonlyMap<Operation, string> = new Map([
  ['messages', '/v1/messages'],
  ['responses', '/v1/responses'],
  ['audio', '/v1/audio/transcriptions'],
])

/** Passes a call on as it is. */
export async function forward(call: Call, { client }: Kit): Promise<Response> {
  if (call.path !== forwarded.get(call.operation)) throw invalidRequest(`Ollama does not offer ${call.path}.`, 'unsupported_operation')
  const response = await client.forward(call.path, call.wire(), call.contentType, call)
  return response.ok ? response : toErrorResponse(response, call.requestId)
}
