import { isObject, type JsonObject } from '../http/json-object.ts'
import type { Operation, Payload } from '../openai.ts'
import type { Family } from './families.ts'
import { type Media, mediaOf } from './media.ts'
import { addTools } from './tools.ts'

/** A request as a tokenizer sees it. */
export interface Prompt {
  /** Each is counted by itself. */
  readonly texts: string[]
  readonly media: Media[]
  /** What needs no tokenizer: frames of messages, and tokens that came as numbers. */
  tokens: number
  /** Part of the frame is not known for sure. */
  guessed: boolean
}

/** Takes a request apart. Works for whatever a client sent: what it does not know it leaves out and calls guessed. */
export function readPrompt(payload: Readonly<Payload>, operation: Operation, family: Family): Prompt {
  const prompt: Prompt = { texts: [], media: [], tokens: 0, guessed: false }
  switch (operation) {
    case 'chat.completions':
    case 'messages':
    case 'messages.count_tokens':
    case 'responses':
      addChat(prompt, payload, family)
      break
    case 'completions':
    case 'embeddings':
      addInput(prompt, operation === 'completions' ? payload.prompt : payload.input)
      if (typeof payload.suffix === 'string') prompt.texts.push(payload.suffix)
      break
    case 'rerank': {
      // every document is read together with the query
      const documents = Array.isArray(payload.documents) ? payload.documents : []
      for (const document of documents) addParts(prompt, [payload.query, document])
      prompt.guessed = true
      break
    }
    default:
      for (const field of otherTexts) addParts(prompt, payload[field])
      prompt.guessed = true
  }
  return prompt
}

/** Of `/infill`, `/v1/audio/speech` and `/v1/images/*`. */
const otherTexts = ['prompt', 'input', 'instructions', 'input_prefix', 'input_suffix', 'input_extra']

/** From the cookbook: "every message follows <|start|>{role/name}<|message|>{content}<|end|>", "every reply is primed". */
const [messageFrame, nameFrame, replyFrame] = [3, 1, 3]

function addChat(prompt: Prompt, payload: Readonly<Payload>, family: Family): void {
  const { messages, input, system, instructions, tools, functions, response_format: format } = payload
  if (family.framing !== 'published') prompt.guessed = true
  prompt.tokens += replyFrame
  for (const above of [system, instructions])
    if (above !== undefined && above !== null) addMessage(prompt, { role: 'system', content: above })
  const list = messages ?? (typeof input === 'string' ? [{ role: 'user', content: input }] : input)
  for (const message of Array.isArray(list) ? list : []) addMessage(prompt, isObject(message) ? message : { content: message })
  addTools(
    prompt,
    [tools, functions].flatMap(offered => (Array.isArray(offered) ? offered : [])),
    family,
  )
  const schema = isObject(format) && format.type === 'json_schema' ? format.json_schema : undefined
  if (schema === undefined) return
  prompt.texts.push(JSON.stringify(schema))
  prompt.guessed = true
}

function addMessage(prompt: Prompt, message: JsonObject): void {
  const { role, name, content, refusal, tool_calls: calls, function_call: call, arguments: args, output } = message
  prompt.tokens += messageFrame
  if (typeof role === 'string' && oneToken.has(role)) prompt.tokens++
  else if (typeof role === 'string') prompt.texts.push(role)
  if (typeof name === 'string') {
    prompt.texts.push(name)
    prompt.tokens += nameFrame
  }
  addParts(prompt, content)
  for (const more of [refusal, args, output]) addParts(prompt, more)
  for (const made of [...(Array.isArray(calls) ? calls : []), ...(call ? [{ function: call }] : [])]) addCall(prompt, made)
}

/** Roles that both encodings have a token for. */
const oneToken = new Set(['system', 'user', 'assistant', 'tool', 'developer', 'function'])

function addCall(prompt: Prompt, call: unknown): void {
  prompt.guessed = true
  const { name, arguments: args } = isObject(call) && isObject(call.function) ? call.function : ({} as JsonObject)
  prompt.tokens += messageFrame
  for (const text of [name, args]) if (typeof text === 'string') prompt.texts.push(text)
}

/** A content: a text, or a list of parts in any dialect. */
function addParts(prompt: Prompt, content: unknown): void {
  if (content === undefined || content === null) return
  if (typeof content === 'string') prompt.texts.push(content)
  else if (Array.isArray(content)) {
    if (content.length > 1) prompt.guessed = true // nobody says how they are joined
    for (const part of content) addParts(prompt, part)
  } else if (isObject(content)) addPart(prompt, content)
  else prompt.guessed = true
}

function addPart(prompt: Prompt, part: JsonObject): void {
  const media = mediaOf(part)
  if (media) {
    prompt.media.push(media)
    return
  }
  if (typeof part.text === 'string') prompt.texts.push(part.text)
  else if (part.type === 'tool_use') addCall(prompt, { function: { name: part.name, arguments: JSON.stringify(part.input) } })
  else if (part.type === 'tool_result') addParts(prompt, part.content)
  else if (typeof part.refusal === 'string') prompt.texts.push(part.refusal)
  else prompt.guessed = true // thinking, for one: templates drop it
}

/** A prompt or an input: one or several texts, or lists of token numbers. */
function addInput(prompt: Prompt, input: unknown): void {
  if (typeof input === 'string') prompt.texts.push(input)
  else if (typeof input === 'number') prompt.tokens++
  else if (Array.isArray(input)) for (const item of input) addInput(prompt, item)
  else if (isObject(input)) addParts(prompt, input)
}
