import { isObject } from '../http/json-object.ts'
import type { Operation, Payload } from '../openai.ts'
import { dearestFamilies, type Family, familyOf } from './families.ts'
import { mediaOf, mostMediaTokens } from './media.ts'

/**
 * What chat templates add, in tokens. Of the 17 templates that llama.cpp ships (models/templates) the longest frame of a
 * whole chat without tools is 540 bytes or 160 tokens, of a message 53 bytes or 14 tokens, and tools are introduced with up to
 * 2400 bytes or 600 tokens (Command R7B).
 */
const [chatFrame, messageFrame, toolsFrame] = [256, 16, 768]
/** A token at either end, and the space that SentencePiece puts in front. */
const textFrame = 4

/**
 * An upper bound of a prompt's tokens, in microseconds. A token stands for at least one byte, so a text has at most as many
 * tokens as bytes: less would be wrong for some tokenizer, and models that read bytes exist. What templates write as JSON is
 * weighed in the longest form there is. Not covered are tokenizers that first make characters longer (NFKC; of generating
 * models none does), and templates with more text of their own than `chatFrame`.
 */
export function boundTokens(payload: Readonly<Payload>, operation: Operation, models: readonly string[] = []): number {
  const families = familiesOf(models)
  switch (operation) {
    case 'chat.completions':
    case 'messages':
    case 'messages.count_tokens':
    case 'responses':
      return boundChat(payload, families)
    case 'rerank': {
      const documents = Array.isArray(payload.documents) ? payload.documents : []
      return documents.reduce<number>((sum, document) => sum + boundParts(payload.query, families) + boundParts(document, families), 0)
    }
    default:
      return texts.reduce((sum, field) => sum + boundParts(payload[field], families), textFrame)
  }
}

/** Asked for where there are pictures: the names of models take longer to look up than a short chat to weigh. */
type Families = () => readonly Family[]

function familiesOf(models: readonly string[]): Families {
  let known: readonly Family[] | undefined
  return () => {
    known ??= models.length > 0 ? models.map(familyOf) : dearestFamilies
    return known
  }
}

/** What operations other than chats send to a model. */
const texts = ['prompt', 'suffix', 'input', 'instructions', 'input_prefix', 'input_suffix', 'input_extra']

function boundChat(payload: Readonly<Payload>, families: Families): number {
  const { messages, input, system, instructions, tools, functions, response_format: format } = payload
  let sum = chatFrame
  for (const above of [system, instructions]) if (above) sum += messageFrame + boundParts(above, families)
  const list = messages ?? input
  if (Array.isArray(list)) for (const message of list) sum += boundMessage(message, families)
  else sum += messageFrame + boundParts(list, families)
  for (const offered of [tools, functions]) if (offered) sum += toolsFrame + boundJson(offered)
  return format ? sum + boundJson(format) : sum
}

function boundMessage(message: unknown, families: Families): number {
  if (!isObject(message)) return messageFrame + boundParts(message, families)
  let sum = messageFrame
  for (const field in message) {
    const value = message[field]
    if (field === 'content') sum += boundParts(value, families)
    else if (typeof value === 'string') sum += Buffer.byteLength(value) + textFrame
    else if (value !== null && value !== undefined) sum += boundJson(value)
  }
  return sum
}

/** A text, a list of texts or parts, a token as a number. */
function boundParts(content: unknown, families: Families): number {
  if (typeof content === 'string') return Buffer.byteLength(content) + textFrame
  if (typeof content === 'number') return 1
  if (Array.isArray(content)) return content.reduce<number>((sum, part) => sum + boundParts(part, families), 0)
  if (!isObject(content)) return 0
  const media = mediaOf(content)
  if (media) return mostMediaTokens(media, families()) + textFrame
  const { type, text, ...more } = content
  const plain = typeof text === 'string' ? Buffer.byteLength(text) + textFrame : 0
  for (const _ in more)
    return plain + (Array.isArray(more.content) ? boundParts(more.content, families) : 0) + boundJson(withoutContent(more))
  return plain
}

/** Tool results have parts of their own, which may be pictures. */
function withoutContent({ content, ...more }: Readonly<Record<string, unknown>>): unknown {
  return Array.isArray(content) ? more : { ...more, content }
}

/**
 * A value in the longest JSON that templates write: indented by four, what is not ASCII as escapes of six characters, and
 * what Go escapes too. What is JSON already inside a text (arguments of a call) may be written anew, with spaces.
 */
function boundJson(value: unknown): number {
  const json = JSON.stringify(value, null, 4) ?? ''
  const beyondAscii = Buffer.byteLength(json) - json.length // at least one for each such character
  const escaped = json.match(/[<>&']/g)?.length ?? 0
  const spaced = json.match(/[:,]/g)?.length ?? 0
  return json.length + 5 * (beyondAscii + escaped) + spaced
}
