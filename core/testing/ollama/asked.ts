import type { Asked } from '../behaviour/scenario.ts'
import { knownOptions } from './options.ts'

type Body = Record<string, unknown>

/** What a decoded /api/chat body asks for, or undefined when it has no messages. */
export function askedOfChat(body: Body): Asked | undefined {
  const messages = list(body.messages)
  if (messages.length === 0) return undefined
  return {
    ...common(body),
    tools: list(body.tools).map(tool => {
      const { name, parameters } = record(tool.function)
      return { name: String(name ?? ''), parameters }
    }),
    toolTexts: toolTextsAtEnd(messages),
    imageSizes: messages.flatMap(message => sizes(message.images)),
  }
}

/** What a decoded /api/generate body asks for, or undefined when it has no prompt. */
export function askedOfGenerate(body: Body): Asked | undefined {
  if (!body.prompt) return undefined
  return { ...common(body), tools: [], toolTexts: [], imageSizes: sizes(body.images) }
}

function common(body: Body): Pick<Asked, 'model' | 'wantsJson' | 'thinks' | 'parameters'> {
  const { messages: _messages, prompt: _prompt, images: _images, ...rest } = body
  const options = body.options === undefined ? {} : { options: knownOptions(body.options) }
  return {
    model: String(body.model),
    wantsJson: Boolean(body.format),
    thinks: body.think !== false,
    parameters: { ...rest, ...options },
  }
}

function toolTextsAtEnd(messages: readonly Body[]): string[] {
  const lastOther = messages.findLastIndex(message => String(message.role).toLowerCase() !== 'tool')
  return messages.slice(lastOther + 1).map(message => String(message.content ?? ''))
}

function sizes(images: unknown): number[] {
  return Array.isArray(images) ? images.map((image: Buffer) => image.length) : []
}

function list(value: unknown): Body[] {
  return Array.isArray(value) ? (value as Body[]) : []
}

function record(value: unknown): Body {
  return typeof value === 'object' && value !== null ? (value as Body) : {}
}
