import { type Context, GatewayError, type MaybePromise, type Message, type Next, type Payload } from 'gatehouse'
import type { Abilities } from './abilities.ts'
import { isObject, type JsonObject } from './json.ts'
import { type Offer, withoutTools } from './offer.ts'
import { type RoundResult, readArguments } from './run-calls.ts'
import { nameIn } from './tool-choice.ts'

/** The turns of one conversation with a model. */
export interface Turns {
  /** Asks the model. Once more without tools, or without pictures, when it says that it cannot take them. */
  ask(): Promise<Response>
  /** What the model said and what its tools answered is part of the next turn. */
  add(message: JsonObject, calls: readonly JsonObject[], results: RoundResult): void
}

/** Called before each turn that may cost more than was known before: its tokens can be set aside. */
export type Extend = (ctx: Context) => MaybePromise<void>

export interface TurnsOptions {
  readonly ctx: Context
  readonly next: Next
  readonly offer: Offer
  readonly abilities: Abilities
  readonly extend: Extend
}

/** Begins with the request as it is now. */
export function createTurns({ ctx, next, offer, abilities, extend }: TurnsOptions): Turns {
  const model = ctx.model?.name ?? ctx.payload.model
  const asked = ctx.payload
  const pictures = new Set<Message>()
  let messages: readonly Message[] = asked.messages ?? []
  let toolsRan = false

  const send = async (change: Partial<Payload>): Promise<Response> => {
    ctx.rewrite(change)
    await extend(ctx)
    return next()
  }
  const shown = () => (abilities.sees(model) ? messages : messages.filter(message => !pictures.has(message)))

  return {
    async ask() {
      try {
        return await send({ ...offer.first, ...(toolsRan && { ...offer.later, messages: shown() }) })
      } catch (error) {
        if (!(error instanceof GatewayError) || ctx.signal.aborted) throw error
        if (!toolsRan && offer.client.own.length === 0 && abilities.refusedTools(error)) {
          const response = await send(withoutTools(offer.client, asked))
          abilities.notTools(model)
          return response
        }
        if (pictures.size === 0 || !abilities.sees(model) || !abilities.refusedPictures(error)) throw error
        abilities.notSeeing(model)
        return send({ messages: shown() })
      }
    },
    add(message, calls, { answers, pictures: shownNext }) {
      toolsRan = true
      messages = [...messages, assistantMessage(message, calls, offer), ...answers]
      if (!shownNext) return
      messages = [...messages, shownNext]
      pictures.add(shownNext)
    },
  }
}

/** What models want to read again of what they said. Those that think want that, too, as long as tools run. */
function assistantMessage(message: JsonObject, calls: readonly JsonObject[], { tools }: Offer): Message {
  const { content = null, reasoning, reasoning_content: reasoningContent } = message
  return {
    role: 'assistant',
    content,
    ...(typeof reasoning === 'string' && { reasoning }),
    ...(typeof reasoningContent === 'string' && { reasoning_content: reasoningContent }),
    tool_calls: calls.map(call => readable(nameIn(call, tools) as JsonObject)),
  } as unknown as Message
}

/** Servers fail on arguments that are no JSON; what was wrong with them stands in the answer. */
function readable(call: JsonObject): JsonObject {
  const made = isObject(call.function) ? call.function : {}
  const { arguments: given } = made
  const good = typeof given === 'string' && given !== '' && readArguments(call) !== undefined
  return { ...call, function: { ...made, arguments: good ? given : JSON.stringify(isObject(given) ? given : {}) } }
}
