import { GatewayError } from '../errors.ts'
import { filled, isObject, type JsonObject, parseJson } from './json-object.ts'
import { createChoices } from './normalise-choices.ts'
import { createEnvelope } from './normalise-envelope.ts'
import type { NormaliseOptions } from './normalise-options.ts'
import { createSseReader, type SseEvent } from './sse.ts'
import { endedEarly, readFailure, readLooseFailure, type StreamFailure } from './stream-failure.ts'
import { completeUsage, readFigures, usageMeter } from './usage.ts'

export { type NormalisedAnswer, normaliseAnswer } from './normalise-answer.ts'
export type { NormaliseOptions } from './normalise-options.ts'
export type { StreamFailure } from './stream-failure.ts'

/** Makes one backend's OpenAI-like stream keep the wire rules. What needs no repair is forwarded as the very bytes. */
export interface StreamNormaliser {
  /** The bytes to forward now: whole events, or nothing. */
  feed(chunk: Uint8Array): Uint8Array
  /** What is still owed, once the upstream has ended. */
  end(): Uint8Array
  /** True once `[DONE]` has been forwarded: nothing may follow, whatever the upstream still does. */
  readonly done: boolean
  /** True once a real event has come: not a comment, not an error. */
  readonly started: boolean
  /** Why the stream cannot go on. Nothing is forwarded after it; the caller renders the error event. */
  readonly failure: StreamFailure | undefined
}

/** A normaliser for one stream. */
export function createNormaliser(options: NormaliseOptions): StreamNormaliser {
  const chat = options.operation === 'chat.completions'
  const reader = createSseReader()
  const envelope = createEnvelope(options, chat ? 'chat.completion.chunk' : 'text_completion')
  const choices = createChoices(chat, options.newId)
  const report = usageMeter(options.usage)
  let started = false
  let done = false
  let failure: StreamFailure | undefined
  let prelude: JsonObject[] = [] // Azure's prompt_filter_results come before the id does, and wait for it
  let usageEvent: Uint8Array | undefined // withheld until the end
  let usageApart: JsonObject | undefined // taken off a chunk with content
  let usageOfChoices: JsonObject | undefined // llama-server reports each of several choices by itself

  const take = (out: Uint8Array[], event: SseEvent) => {
    if (event.data === undefined) {
      failure = readLooseFailure(event)
      if (!failure) out.push(event.raw)
      return
    }
    const text = event.data.trim()
    if (text === '') return // a keep-alive that SDKs would try to parse
    if (text === endMark) return close(out, event.raw)
    const json = parseJson(text)
    failure = readFailure(json, event)
    if (!failure) takeChunk(out, json as JsonObject, event.raw)
  }

  const takeChunk = (out: Uint8Array[], json: JsonObject, raw: Uint8Array) => {
    started = true
    const given: unknown[] = Array.isArray(json.choices) ? json.choices : []
    let changed = given !== json.choices
    json.choices = given
    const usage = isObject(json.usage) ? json.usage : undefined
    if (given.length === 0 && !usage && !envelope.known && filled(json.id) === undefined) {
      prelude.push(json)
      return
    }
    if (envelope.stamp(json)) changed = true
    if (prelude.length > 0) releasePrelude(out)
    if (usage) {
      if (completeUsage(usage)) changed = true
      if (given.length === 0) {
        if (choices.count > 1 && addCompletions(usage, usageOfChoices)) changed = true
        usageOfChoices = usage
        report(readFigures(usage))
        usageEvent = changed ? encode(json) : raw
        return
      }
      report(readFigures(usage))
      usageEvent = undefined
      usageApart = usage
      delete json.usage
      changed = true
    }
    if (choices.repair(given)) changed = true
    out.push(changed ? encode(json) : raw)
  }

  const releasePrelude = (out: Uint8Array[]) => {
    for (const json of prelude) out.push(encodeStamped(json))
    prelude = []
  }

  const close = (out: Uint8Array[], doneEvent: Uint8Array) => {
    started = true
    done = true
    releasePrelude(out)
    const owed = choices.finish()
    if (owed.length > 0) out.push(encodeStamped({ ...emptyChunk, choices: owed }))
    if (options.includeUsage && usageEvent) out.push(usageEvent)
    else if (options.includeUsage && usageApart) out.push(encodeStamped({ ...emptyChunk, choices: [], usage: usageApart }))
    out.push(doneEvent)
  }

  const encodeStamped = (json: JsonObject): Uint8Array => {
    envelope.stamp(json)
    return encode(json)
  }

  const read = (chunk: Uint8Array): SseEvent[] => {
    try {
      return reader.feed(chunk)
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      failure = { message: error.message } // an event without end
      return []
    }
  }

  return {
    feed(chunk) {
      const out: Uint8Array[] = []
      if (done || failure) return join(out)
      for (const event of read(chunk)) {
        take(out, event)
        if (done || failure) break
      }
      return join(out)
    },
    end() {
      const out: Uint8Array[] = []
      if (done || failure) return join(out)
      for (const event of reader.end()) {
        if (event.data === undefined) failure = readLooseFailure(event)
        else if (saysSomething(event)) take(out, event)
      }
      if (done || failure) return join(out)
      if (choices.complete) close(out, doneEvent)
      else failure = endedEarly
      return join(out)
    },
    get done() {
      return done
    },
    get started() {
      return started
    },
    get failure() {
      return failure
    },
  }
}

/** Adds what was reported for earlier choices; the prompt is the same one. True when there was such a report. */
function addCompletions(usage: JsonObject, earlier: JsonObject | undefined): boolean {
  if (!earlier) return false
  usage.completion_tokens = Number(usage.completion_tokens) + Number(earlier.completion_tokens)
  usage.total_tokens = Number(usage.prompt_tokens) + Number(usage.completion_tokens)
  return true
}

const endMark = '[DONE]'
const encoder = new TextEncoder()
const doneEvent = encoder.encode(`data: ${endMark}\n\n`)

/** In the order OpenAI writes them; the envelope fills them in. */
const emptyChunk = { id: '', object: '', created: 0, model: '' }

const encode = (json: JsonObject) => encoder.encode(`data: ${JSON.stringify(json)}\n\n`)

const join = (pieces: Uint8Array[]): Uint8Array => (pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces))

/** False for a last event that the end of the stream cut in the middle. */
const saysSomething = ({ data = '', event }: SseEvent) => event === 'error' || data.trim() === endMark || parseJson(data) !== undefined
