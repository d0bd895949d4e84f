import { isObject, objectsIn } from './json.ts'
import type { ContentPart, ResourceContent, ToolResult } from './tool-house.ts'

/** A picture as a `data:` URL has it. */
export interface Picture {
  readonly mimeType: string
  readonly data: string
}

/** A result as models can take it. */
export interface ReadResult {
  /** All of it; what is no text is described. */
  readonly text: string
  /** For models that can see. */
  readonly pictures: readonly Picture[]
}

/** Reads what a tool gave back. Pictures of more bytes than that are only described. */
export function readResult({ content, structuredContent }: ToolResult, mostBytes: number): ReadResult {
  const parts = objectsIn(content) as readonly ContentPart[]
  const pictures: Picture[] = []
  const keep = (mimeType: string, data: string) => {
    if (mimeType.startsWith('image/') && bytesOf(data) <= mostBytes) pictures.push({ mimeType, data })
  }
  const texts = parts.map(part => describe(part, keep))
  // a server should also write it as a text, and then it is there already
  if (structuredContent !== undefined && !parts.some(({ type }) => type === 'text')) texts.push(JSON.stringify(structuredContent))
  return { text: texts.join('\n'), pictures }
}

type Keep = (mimeType: string, data: string) => void

function describe(part: ContentPart, keep: Keep): string {
  const { type, text, data, mimeType, resource } = part
  if (type === 'text' && typeof text === 'string') return text
  if ((type === 'image' || type === 'audio') && typeof data === 'string') {
    const kind = typeof mimeType === 'string' ? mimeType : type
    keep(kind, data)
    return `[${type}: ${kind}, ${bytesOf(data)} bytes]`
  }
  if (type === 'resource' && isObject(resource)) return describeContent(resource as ResourceContent, keep)
  if (type === 'resource_link') {
    return `[resource: ${[part.uri, part.name, part.description, mimeType].filter(word => typeof word === 'string').join(', ')}]`
  }
  return JSON.stringify(part)
}

/** A resource inside of a result, or one that was read. */
export function describeContent({ uri, mimeType, text, blob }: ResourceContent, keep: Keep = () => {}): string {
  if (typeof text === 'string') return text
  if (typeof blob !== 'string') return `[resource: ${uri ?? 'unnamed'}]`
  const kind = mimeType ?? 'application/octet-stream'
  keep(kind, blob)
  return `[resource: ${[uri, kind].filter(Boolean).join(', ')}, ${bytesOf(blob)} bytes]`
}

/** Of base64. */
const bytesOf = (data: string) => Math.floor((data.replace(/=+$/, '').length * 3) / 4)
