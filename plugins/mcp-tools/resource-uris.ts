import type { Payload } from 'gatehouse'
import { isObject, objectsIn } from './json.ts'

/** A resource as a message names it. */
export interface NamedResource {
  /** `mcp://server/…`, as it stands in the message. */
  readonly uri: string
  readonly server: string
  /** What the server calls it. */
  readonly resource: string
}

const none: readonly NamedResource[] = []

/** The resources that the user and the system name, each once, in their order. What a model or a tool says is not looked at. */
export function findResources(messages: Payload['messages']): readonly NamedResource[] {
  if (!Array.isArray(messages)) return none
  let found: Map<string, NamedResource> | undefined
  for (const message of messages) {
    if (!isObject(message) || !speakers.has(message.role)) continue
    for (const text of textsIn(message.content)) {
      if (!text.includes('mcp://')) continue
      found ??= new Map()
      for (const [written] of text.matchAll(/mcp:\/\/[^\s<>"`]+/g)) {
        const named = readResource(trimEnd(written))
        if (named) found.set(named.uri, named)
      }
    }
  }
  return found ? [...found.values()] : none
}

const speakers: ReadonlySet<unknown> = new Set(['user', 'system', 'developer'])

const textsIn = (content: unknown): readonly string[] =>
  typeof content === 'string' ? [content] : objectsIn(content).flatMap(({ text }) => (typeof text === 'string' ? text : []))

/** Without the signs that end a sentence around it; a bracket that is closed belongs to it. Looks at each character twice at most. */
function trimEnd(written: string): string {
  let end = written.length
  const open: Record<string, number> = { ')': 0, ']': 0, '}': 0 }
  for (const sign of written) {
    const closing = closings[sign]
    if (closing !== undefined) open[closing] = (open[closing] as number) + 1
    else if (open[sign] !== undefined) open[sign] = (open[sign] as number) - 1
  }
  for (; end > 0; end--) {
    const last = written[end - 1] as string
    const surplus = open[last]
    if (surplus !== undefined && surplus < 0) open[last] = surplus + 1
    else if (!/[.,;:!?'*_…。，]/.test(last)) break
  }
  return written.slice(0, end)
}

const closings: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/** `mcp://files/file:///a.txt` → `file:///a.txt`; one that is encoded as a whole is decoded. */
function readResource(uri: string): NamedResource | undefined {
  const [, server, rest] = /^mcp:\/\/([A-Za-z0-9_-]+)\/(.+)$/s.exec(uri) ?? []
  if (server === undefined || rest === undefined) return
  const resource = hasScheme.test(rest) ? rest : decode(rest)
  return resource === undefined ? undefined : { uri, server, resource }
}

const hasScheme = /^[a-z][a-z0-9+.-]*:/i

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
