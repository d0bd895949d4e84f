import { completionTokens, nowInSeconds, promptTokens } from '../behaviour/numbers.ts'
import type { Reply } from '../behaviour/writer.ts'
import type { Exchange } from '../server/exchange.ts'
import { readForm } from '../server/form.ts'
import { askedOfPrompt } from './asked.ts'
import { type Body, type Endpoint, type House, play } from './endpoint.ts'
import { openaiError, openaiRefusal } from './errors.ts'
import { fixedWriter } from './fixed-writer.ts'
import { openaiHeaders } from './headers.ts'

/** The smallest PNG there is: one transparent pixel. */
export const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const tokens = { input_tokens: promptTokens, output_tokens: completionTokens, total_tokens: promptTokens + completionTokens }

/** `POST /v1/images/generations`, from openai/openai-node src/resources/images.ts. */
export const images: Endpoint = {
  asked: askedOfPrompt,
  writer: (body, model) =>
    fixedWriter({
      body: {
        created: nowInSeconds(),
        data: Array.from({ length: Number(body.n ?? 1) }, () => ({ b64_json: pixel })),
        usage: { ...tokens, input_tokens_details: { text_tokens: promptTokens, image_tokens: 0 } },
      },
      headers: openaiHeaders(),
      refuse: why => openaiRefusal(why, model),
    }),
}

/** `POST /v1/audio/speech`: bytes, not JSON; an ID3 head and then the text that was to be spoken. */
export const speech: Endpoint = {
  asked: askedOfPrompt,
  writer: (body, model) =>
    fixedWriter({
      body: Buffer.concat([Buffer.from([0x49, 0x44, 0x33, 0x04, 0, 0, 0, 0, 0, 0, 0xff, 0xfb]), Buffer.from(String(body.input ?? ''))]),
      headers: { 'content-type': 'audio/mpeg', ...openaiHeaders() },
      refuse: why => openaiRefusal(why, model),
    }),
}

/** `POST /v1/audio/transcriptions` and `/translations`: multipart in, and the text says what came. */
export async function transcribe(exchange: Exchange, house: House): Promise<Reply | undefined> {
  const form = await readForm(exchange.request)
  const file = form?.files.file
  if (!form || !file) return openaiError(400, "Missing required parameter: 'file'.", { param: 'file', code: 'missing_required_parameter' })
  const { model = '', response_format: format } = form.fields
  const text = heard(file)
  const plain = format === 'text' || format === 'srt' || format === 'vtt'
  const body: Body = { text, usage: { type: 'tokens', ...tokens, input_token_details: { audio_tokens: promptTokens, text_tokens: 0 } } }
  const writer = fixedWriter({
    body: plain ? `${text}\n` : body,
    headers: { ...(plain ? { 'content-type': 'text/plain; charset=utf-8' } : {}), ...openaiHeaders() },
    refuse: why => openaiRefusal(why, model),
  })
  const answer = play(exchange, house, askedOfPrompt({ model, ...form.fields }), writer)
  if (!(answer instanceof Promise)) return answer
  await answer
  return undefined
}

/** What a fake hears in a file: its name and size. */
export function heard(file: { readonly name: string; readonly bytes: Buffer }): string {
  return `heard ${file.bytes.length} bytes of ${file.name}`
}
