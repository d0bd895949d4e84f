import { invalidRequest } from '../../errors.ts'
import { isObject } from '../../http/json-object.ts'
import { isString, type Json, optional, unsupported, wrongType } from './values.ts'

/** The tools to offer, and what could not be said to Ollama about them. */
export interface ReadTools {
  readonly tools: readonly Json[]
  readonly ignored: readonly string[]
  /** The client speaks the older `functions`, and expects `function_call` in the answer. */
  readonly legacy: boolean
}

/** The fields of a request that are about tools. */
export const toolFields = ['tools', 'tool_choice', 'functions', 'function_call'] as const

/** Translates `tools` and `tool_choice`, or the older `functions` and `function_call`; the newer ones win. */
export function readTools(payload: Json): ReadTools {
  const tools = optional(payload, 'tools', Array.isArray)
  const functions = optional(payload, 'functions', Array.isArray)
  if (tools) {
    const offered = tools.map((tool, index) => readTool(tool, `tools[${index}]`))
    const chosen = choose(offered, readChoice(payload.tool_choice), 'tool_choice')
    const strict = tools.some(tool => tool.function.strict === true) ? ['tools.function.strict'] : []
    return { ...chosen, ignored: [...chosen.ignored, ...strict, ...(functions ? ['functions'] : [])], legacy: false }
  }
  const offered = (functions ?? []).map((made, index) => readFunction(made, `functions[${index}]`))
  return { ...choose(offered, readFunctionChoice(payload.function_call), 'function_call'), legacy: functions !== undefined }
}

interface Tool extends Json {
  readonly function: Json & { readonly name: string }
}

function readTool(tool: unknown, at: string): Tool {
  if (!isObject(tool)) throw wrongType(at)
  const type = optional(tool, 'type', isString, `${at}.type`)
  if (type !== undefined && type !== 'function') throw unsupported('Ollama takes tools of type `function` only.', `${at}.type`)
  return readFunction(tool.function, `${at}.function`)
}

function readFunction(made: unknown, at: string): Tool {
  if (!isObject(made)) throw wrongType(at)
  if (!isString(made.name)) throw wrongType(`${at}.name`)
  const description = optional(made, 'description', isString, `${at}.description`)
  // Templates print the parameters as they are; Go would print missing ones as `"type":"","properties":null`.
  const parameters = { type: 'object', properties: {}, ...optional(made, 'parameters', isObject, `${at}.parameters`) }
  return { type: 'function', function: { name: made.name, ...(description !== undefined && { description }), parameters } }
}

/** Which tools the model may use, and whether it is told that it must. */
interface Choice {
  /** Undefined means all. */
  readonly names?: readonly string[]
  readonly forced: boolean
}

function readChoice(choice: unknown): Choice {
  if (choice === undefined || choice === null || choice === 'auto') return { forced: false }
  if (choice === 'none') return { names: [], forced: false }
  if (choice === 'required') return { forced: true }
  if (!isObject(choice)) throw wrongType('tool_choice')
  if (choice.type === 'allowed_tools' && isObject(choice.allowed_tools) && Array.isArray(choice.allowed_tools.tools)) {
    const { mode, tools } = choice.allowed_tools
    return { names: tools.map((tool: unknown) => nameOf(tool, 'tool_choice.allowed_tools.tools')), forced: mode === 'required' }
  }
  return { names: [nameOf(choice, 'tool_choice')], forced: true }
}

function nameOf(tool: unknown, param: string): string {
  if (!isObject(tool) || !isObject(tool.function) || !isString(tool.function.name)) throw wrongType(param)
  return tool.function.name
}

function readFunctionChoice(choice: unknown): Choice {
  if (!isObject(choice)) {
    const known = choice === undefined || choice === null || choice === 'auto' || choice === 'none'
    if (!known) throw wrongType('function_call')
    return readChoice(choice)
  }
  if (!isString(choice.name)) throw wrongType('function_call')
  return { names: [choice.name], forced: true }
}

/** Ollama cannot force a call: a named tool is the only one offered, and the field is reported as not passed on. */
function choose(offered: readonly Tool[], { names, forced }: Choice, field: string): Omit<ReadTools, 'legacy'> {
  const missing = names?.find(name => !offered.some(tool => tool.function.name === name))
  if (missing !== undefined) throw invalidRequest('The chosen tool is not among those offered.', 'invalid_value', field)
  const tools = names ? offered.filter(tool => names.includes(tool.function.name)) : offered
  return { tools, ignored: forced ? [field] : [] }
}
