import { invalidRequest } from '../errors.ts'
import type { Operation, Payload } from '../openai.ts'

type Check = (value: unknown) => boolean

const isNumber: Check = value => typeof value === 'number' && Number.isFinite(value)
const isInteger: Check = value => Number.isInteger(value)
const isBoolean: Check = value => typeof value === 'boolean'
const isObject: Check = value => typeof value === 'object' && value !== null && !Array.isArray(value)
const isStringOrStrings: Check = value =>
  typeof value === 'string' || (Array.isArray(value) && value.every(part => typeof part === 'string'))

/** Types that OpenAI's API fixes for every backend. Ranges and unknown fields are the backend's to judge. */
const types: Readonly<Record<string, Check>> = {
  stream: isBoolean,
  stream_options: isObject,
  temperature: isNumber,
  top_p: isNumber,
  max_tokens: isInteger,
  max_completion_tokens: isInteger,
  n: isInteger,
  seed: isInteger,
  frequency_penalty: isNumber,
  presence_penalty: isNumber,
  stop: isStringOrStrings,
  tools: Array.isArray,
  functions: Array.isArray,
  response_format: isObject,
  logit_bias: isObject,
}

/** Operations whose fields are OpenAI's own. */
const checked = new Set<Operation>(['chat.completions', 'completions', 'embeddings'])

/** Throws a 400 with LlamaGate's literal messages when a call lacks what every backend needs. */
export function checkCall(operation: Operation, payload: Payload): void {
  const { model } = payload
  if (model !== undefined && typeof model !== 'string') throw invalidRequest('Invalid request body', 'invalid_type', 'model')
  if (typeof model === 'string' && model.length > longestModel)
    throw invalidRequest('The name of the model is too long.', 'invalid_type', 'model')
  refuseTwins(payload)
  // editors that complete code talk to one model and name none
  if (!model && operation === 'infill') return
  if (!model) throw invalidRequest('Model is required', 'missing_model', 'model')
  if (!checked.has(operation)) return
  for (const field in types) {
    const value = payload[field]
    if (value !== undefined && value !== null && !(types[field] as Check)(value)) {
      throw invalidRequest('Invalid request body', 'invalid_type', field)
    }
  }
  if (operation === 'chat.completions') checkMessages(payload.messages)
  if (operation === 'completions' && (payload.prompt === undefined || payload.prompt === null)) {
    throw invalidRequest('Prompt is required', 'missing_prompt', 'prompt')
  }
  if (operation === 'embeddings' && (payload.input === undefined || payload.input === null)) {
    throw invalidRequest('Input is required', 'missing_input', 'input')
  }
}

/** Some servers decode a path before they route it: what looks like one path here would be another there. */
export function checkPath(pathname: string): void {
  if (/%2f|%5c|%2e|\\|\.\.;/i.test(pathname)) throw invalidRequest('The path must not hold encoded slashes or dots.', 'invalid_url')
}

/** No model has a longer name, and every name is a word in the log. */
const longestModel = 256

/** Servers written in Go read `Model` as `model`, and the last one wins: it would not be the one that was checked here. */
function refuseTwins(payload: Payload): void {
  for (const field in payload) {
    if (field.length > 6 || field === 'model' || field === 'stream') continue
    const name = field.toLowerCase()
    if (name === 'model' || name === 'stream') throw invalidRequest(`Write \`${name}\` in small letters.`, 'invalid_field', field)
  }
}

function checkMessages(messages: unknown): void {
  if (messages === undefined || messages === null || (Array.isArray(messages) && messages.length === 0)) {
    throw invalidRequest('Messages are required', 'missing_messages', 'messages')
  }
  if (!Array.isArray(messages)) throw invalidRequest('Invalid request body', 'invalid_type', 'messages')
  for (let i = 0; i < messages.length; i++) {
    if (!isObject(messages[i]) || typeof messages[i].role !== 'string') {
      throw invalidRequest('Invalid request body', 'invalid_type', `messages[${i}]`)
    }
  }
}
