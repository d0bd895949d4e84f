import { isObject, type JsonObject } from '../http/json-object.ts'
import type { Family } from './families.ts'
import type { Prompt } from './prompt.ts'

/**
 * Adds what tools cost. OpenAI's models get them in a form of their own, whose cost the cookbook tells ("How to count tokens
 * with tiktoken", 7: tool calls); all others get them as JSON behind some sentences on how to call them.
 */
export function addTools(prompt: Prompt, tools: readonly unknown[], { toolStart }: Family): void {
  if (tools.length === 0) return
  prompt.guessed = true
  if (toolStart === undefined) {
    prompt.texts.push(...tools.map(tool => JSON.stringify(tool)))
    prompt.tokens += instructions
    return
  }
  for (const tool of tools) addTool(prompt, functionOf(tool), toolStart)
  prompt.tokens += end
}

/** Qwen's, Llama's and Hermes's templates have 90 to 200 tokens of them. */
const instructions = 150

const [propertiesStart, propertyStart, listStart, listItem, end] = [3, 3, -3, 3, 12]

function addTool(prompt: Prompt, { name, description, parameters }: JsonObject, start: number): void {
  prompt.tokens += start
  prompt.texts.push(`${text(name)}:${sentence(description)}`)
  const properties = isObject(parameters) && isObject(parameters.properties) ? Object.entries(parameters.properties) : []
  if (properties.length > 0) prompt.tokens += propertiesStart
  for (const [key, value] of properties) {
    const { type, description, enum: choices, ...more } = isObject(value) ? value : ({} as JsonObject)
    prompt.tokens += propertyStart
    if (Array.isArray(choices)) {
      prompt.tokens += listStart + listItem * choices.length
      prompt.texts.push(...choices.map(String))
    }
    prompt.texts.push(`${key}:${text(type)}:${sentence(description)}`)
    // the cookbook knows no deeper than this
    if (Object.keys(more).length > 0) prompt.texts.push(JSON.stringify(more))
  }
}

/** A tool of chat completions, of responses, of messages, or one of the old `functions`. */
function functionOf(tool: unknown): JsonObject {
  if (!isObject(tool)) return {}
  if (isObject(tool.function)) return tool.function
  return { ...tool, parameters: tool.parameters ?? tool.input_schema }
}

const text = (value: unknown) => (typeof value === 'string' ? value : '')
const sentence = (value: unknown) => text(value).replace(/\.$/, '')
