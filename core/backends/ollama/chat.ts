import { errorResponse } from '../../errors.ts'
import type { Call } from '../backend.ts'
import { endedEarly } from './answer.ts'
import { toChatCompletion } from './chat-answer.ts'
import { toChatRequest } from './chat-request.ts'
import { chatTranslator } from './chat-stream.ts'
import { readAnswer } from './client.ts'
import { toErrorResponse } from './errors.ts'
import { bodyOf, eventResponse, jsonResponse, type Kit, newFrame } from './respond.ts'
import { translateStream } from './stream.ts'

/** A chat completion, by /api/chat. */
export async function chat(call: Call, kit: Kit): Promise<Response> {
  const { body, stream, legacy, ignored } = toChatRequest(call.payload, call.model)
  const response = await kit.client.post('/api/chat', body, call)
  if (!response.ok) return toErrorResponse(response, call.requestId)
  const form = { frame: newFrame('chatcmpl', call, kit), legacy, newId: kit.newId }
  if (stream) return eventResponse(translateStream(bodyOf(response), [], chatTranslator(form)), ignored)
  const answer = await readAnswer(response, call.signal)
  if (answer.done === false) return errorResponse(endedEarly(), call.requestId)
  return jsonResponse(toChatCompletion(answer, form), ignored)
}
