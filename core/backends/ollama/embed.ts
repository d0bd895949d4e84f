import type { Call } from '../backend.ts'
import { unreadable } from './answer.ts'
import { readAnswer } from './client.ts'
import { toEmbedRequest } from './embed-request.ts'
import { toErrorResponse } from './errors.ts'
import { jsonResponse, type Kit } from './respond.ts'
import type { Json } from './values.ts'

/** Embeddings, by /api/embed. */
export async function embed(call: Call, { client }: Kit): Promise<Response> {
  const { body, base64, ignored } = toEmbedRequest(call.payload, call.model)
  const response = await client.post('/api/embed', body, call)
  if (!response.ok) return toErrorResponse(response, call.requestId)
  return jsonResponse(toEmbeddings(await readAnswer(response, call.signal), base64, call.model), ignored)
}

function toEmbeddings(answer: Json, base64: boolean, model: string): Json {
  const { embeddings, prompt_eval_count = 0 } = answer
  if (!Array.isArray(embeddings) || !embeddings.every(Array.isArray)) throw unreadable()
  const data = embeddings.map((vector: number[], index) => ({ object: 'embedding', index, embedding: base64 ? encode(vector) : vector }))
  return { object: 'list', data, model, usage: { prompt_tokens: prompt_eval_count, total_tokens: prompt_eval_count } }
}

function encode(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes.toString('base64')
}
