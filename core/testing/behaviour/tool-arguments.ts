/** A tool as the request offers it. */
export interface ToolOffer {
  readonly name: string
  readonly parameters: unknown
}

/** A call the fake model makes. */
export interface ToolCall {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
}

/** Makes `count` calls; several go round the offered tools, a single one takes the first. */
export function callsFor(tools: readonly ToolOffer[], count: number): ToolCall[] {
  const calls: ToolCall[] = []
  for (let index = 0; index < count; index++) {
    const tool = tools[index % tools.length]
    // Numbered texts let a test see which result belongs to which call.
    const word = count === 1 ? 'x' : `x${index + 1}`
    if (tool) calls.push({ name: tool.name, arguments: requiredOf(tool.parameters, word) })
  }
  return calls
}

function requiredOf(schema: unknown, word: string): Record<string, unknown> {
  const made: Record<string, unknown> = {}
  const properties = record(record(schema).properties)
  const required = record(schema).required
  for (const name of Array.isArray(required) ? required : []) made[name] = valueFor(properties[name], word)
  return made
}

function valueFor(schema: unknown, word: string): unknown {
  const { type, enum: choices, const: constant, items } = record(schema)
  if (constant !== undefined) return constant
  if (Array.isArray(choices)) return choices[0]
  switch (Array.isArray(type) ? type[0] : type) {
    case 'integer':
    case 'number':
      return 1
    case 'boolean':
      return true
    case 'null':
      return null
    case 'array':
      return [valueFor(items, word)]
    case 'object':
      return requiredOf(schema, word)
    default:
      return word
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
