import type { GoFields, GoType } from './go-json.ts'

const string: GoType = { kind: 'string' }
const bool: GoType = { kind: 'bool' }
const int: GoType = { kind: 'int' }
const any: GoType = { kind: 'any' }
const strings: GoType = { kind: 'slice', name: '[]string', of: string }
const options: GoType = { kind: 'map', name: 'map[string]interface {}' }
const images: GoType = { kind: 'slice', name: '[]api.ImageData', of: { kind: 'bytes', name: 'api.ImageData' } }
const keepAlive: GoType = { kind: 'custom', check: checkDuration }
const think: GoType = { kind: 'custom', check: checkThink }

const struct = (goName: string, fields: () => GoFields, own?: { name: string }): GoType & { kind: 'struct' } => ({
  kind: 'struct',
  goName,
  name: own?.name ?? `api.${goName}`,
  fields,
  ...(own ? { own: true } : {}),
})

const toolCall = struct('ToolCall', () => ({
  id: string,
  function: struct('ToolCallFunction', () => ({ index: int, name: string, arguments: { kind: 'ordered', of: any } })),
}))

const message = struct(
  'Message',
  () => ({
    role: string,
    content: string,
    thinking: string,
    images,
    tool_calls: { kind: 'slice', name: '[]api.ToolCall', of: toolCall },
    tool_name: string,
    tool_call_id: string,
  }),
  // Message.UnmarshalJSON decodes into a local type called Alias.
  { name: 'api.Alias' },
)

const property: GoType = struct('ToolProperty', () => ({
  anyOf: { kind: 'slice', name: '[]api.ToolProperty', of: property },
  type: { kind: 'custom', check: checkPropertyType },
  items: any,
  description: string,
  enum: { kind: 'slice', name: '[]interface {}', of: any },
  properties: { kind: 'ordered', of: property },
  required: strings,
}))

const tool = struct('Tool', () => ({
  type: string,
  items: any,
  function: struct('ToolFunction', () => ({
    name: string,
    description: string,
    parameters: struct('ToolFunctionParameters', () => ({
      type: string,
      $defs: any,
      items: any,
      required: strings,
      properties: { kind: 'ordered', of: property },
    })),
  })),
}))

const common: GoFields = {
  model: string,
  stream: bool,
  format: any,
  keep_alive: keepAlive,
  options,
  think,
  truncate: bool,
  shift: bool,
  _debug_render_only: bool,
  logprobs: bool,
  top_logprobs: int,
}

/** The body of `POST /api/chat`. */
export const chatRequest: GoType = struct('ChatRequest', () => ({
  ...common,
  messages: { kind: 'slice', name: '[]api.Message', of: message },
  tools: { kind: 'slice', name: 'api.Tools', of: tool },
}))

/** The body of `POST /api/generate`. */
export const generateRequest: GoType = struct('GenerateRequest', () => ({
  ...common,
  prompt: string,
  suffix: string,
  system: string,
  template: string,
  context: { kind: 'slice', name: '[]int', of: int },
  raw: bool,
  images,
}))

/** The body of `POST /api/embed`. */
export const embedRequest: GoType = struct('EmbedRequest', () => ({
  model: string,
  input: any,
  keep_alive: keepAlive,
  truncate: bool,
  dimensions: int,
  options,
}))

/** The body of `POST /api/embeddings`, the older form. */
export const embeddingRequest: GoType = struct('EmbeddingRequest', () => ({
  model: string,
  prompt: string,
  keep_alive: keepAlive,
  options,
}))

/** The body of `POST /api/show`. */
export const showRequest: GoType = struct('ShowRequest', () => ({
  model: string,
  name: string,
  system: string,
  template: string,
  verbose: bool,
  options,
}))

function checkDuration(value: unknown): string | undefined {
  if (typeof value === 'number') return undefined
  if (typeof value !== 'string') return `Unsupported type: '${typeof value === 'boolean' ? 'bool' : 'map[string]interface {}'}'`
  if (/^[-+]?\d+(\.\d+)?$/.test(value) && Number(value) !== 0) return `time: missing unit in duration ${JSON.stringify(value)}`
  if (/^[-+]?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(value) || value === '0') return undefined
  return `time: invalid duration ${JSON.stringify(value)}`
}

const thinkLevels = ['high', 'medium', 'low', 'max']

function checkThink(value: unknown): string | undefined {
  if (typeof value === 'boolean') return undefined
  if (typeof value !== 'string') return 'think must be a boolean or string ("high", "medium", "low", "max", true, or false)'
  if (thinkLevels.includes(value)) return undefined
  return `invalid think value: ${JSON.stringify(value)} (must be "high", "medium", "low", "max", true, or false)`
}

function checkPropertyType(value: unknown): string | undefined {
  if (typeof value === 'string') return undefined
  if (Array.isArray(value) && value.every(item => typeof item === 'string')) return undefined
  const found = Array.isArray(value) ? 'array' : typeof value
  return `json: cannot unmarshal ${found} into Go struct field ToolFunctionParameters.tools.function.parameters.properties.type of type []string`
}
