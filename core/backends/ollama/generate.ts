import { errorResponse } from '../../errors.ts'
import type { Call } from '../backend.ts'
import { endedEarly, type OllamaAnswer } from './answer.ts'
import { readAnswer } from './client.ts'
import { readError, toErrorResponse } from './errors.ts'
import { generateTranslator, toCompletion } from './generate-answer.ts'
import { type GenerateRequest, toGenerateRequest } from './generate-request.ts'
import { bodyOf, eventResponse, jsonResponse, type Kit, newFrame } from './respond.ts'
import { type OpenBody, translateStream } from './stream.ts'
import type { Json } from './values.ts'

/** A completion, by one call of /api/generate per prompt, one after another: side by side they would fight for the model. */
export async function generate(call: Call, kit: Kit): Promise<Response> {
  const request = toGenerateRequest(call.payload, call.model)
  return request.stream ? streamed(request, call, kit) : whole(request, call, kit)
}

async function whole({ bodies, echoes, ignored }: GenerateRequest, call: Call, kit: Kit): Promise<Response> {
  const answers: OllamaAnswer[] = []
  for (const body of bodies) {
    const response = await kit.client.post('/api/generate', body, call)
    if (!response.ok) return toErrorResponse(response, call.requestId)
    const answer = await readAnswer(response, call.signal)
    if (answer.done === false) return errorResponse(endedEarly(), call.requestId)
    answers.push(answer)
  }
  return jsonResponse(toCompletion(answers, echoes, newFrame('cmpl', call, kit)), ignored)
}

async function streamed({ bodies, echoes, ignored }: GenerateRequest, call: Call, kit: Kit): Promise<Response> {
  const [first, ...rest] = bodies
  const response = await kit.client.post('/api/generate', first as Json, call)
  if (!response.ok) return toErrorResponse(response, call.requestId)
  const translator = generateTranslator(echoes, newFrame('cmpl', call, kit))
  const openers = rest.map((body): OpenBody => {
    return async left => {
      const signal = AbortSignal.any([call.signal, left])
      const later = await kit.client.post('/api/generate', body, { ...call, signal })
      if (!later.ok) throw await readError(later)
      return bodyOf(later)
    }
  })
  return eventResponse(translateStream(bodyOf(response), openers, translator), ignored)
}
