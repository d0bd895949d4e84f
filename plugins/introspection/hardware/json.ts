/** The JSON object in a tool's answer, warnings around it cut off. Undefined when there is none. */
export function parseObject(output: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1))
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** The objects in a value that is one or a list of them; PowerShell writes a list of one as the one. */
export function objectsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return [value].flat().filter((item): item is Record<string, unknown> => typeof item === 'object' && item !== null && !Array.isArray(item))
}
