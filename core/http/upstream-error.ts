import type { ErrorType } from '../errors.ts'
import { readShort } from './limited.ts'

/** What an upstream says went wrong, whatever shape it said it in. */
export interface UpstreamError {
  readonly message: string
  readonly type?: ErrorType
  readonly code?: string
  readonly param?: string
}

/** An error body longer than this is a page, not a message. */
export const longestBody = 64 * 1024
const longestMessage = 2000

/**
 * Reads an error answer. Shapes: OpenAI `{error:{message,…}}`, Ollama `{error:"…"}`, vLLM
 * `{object:"error",message,…}`, FastAPI `{detail}`; anything else is only its status.
 */
export async function readUpstreamError(response: Response): Promise<UpstreamError> {
  const fallback = { message: `The model backend returned status ${response.status}` }
  try {
    return describeError(JSON.parse(await readShort(response.body, longestBody))) ?? fallback
  } catch {
    return fallback
  }
}

/** The error in a parsed body or event, or undefined when there is none. */
export function describeError(body: unknown): UpstreamError | undefined {
  if (typeof body !== 'object' || body === null) return
  const { error, message, detail } = body as Record<string, unknown>
  if (typeof error === 'string') return { message: presentable(error) }
  if (typeof error === 'object' && error !== null) return fromObject(error as Record<string, unknown>)
  if (typeof message === 'string') return fromObject(body as Record<string, unknown>)
  if (typeof detail === 'string') return { message: presentable(detail) }
  if (Array.isArray(detail)) return { message: presentable(detail.map(describeIssue).join('; ')) }
}

/** One of FastAPI's issues, without the `input` it repeats: that is the prompt. */
function describeIssue(issue: unknown): string {
  const { loc, msg } = (issue ?? {}) as { readonly loc?: unknown; readonly msg?: unknown }
  return [Array.isArray(loc) ? loc.join('.') : '', typeof msg === 'string' ? msg : ''].filter(Boolean).join(': ')
}

function fromObject({ message, type, code, param }: Record<string, unknown>): UpstreamError | undefined {
  if (typeof message !== 'string') return
  return {
    message: presentable(message),
    ...(isWord(type) && { type }),
    ...(isWord(code) && { code }),
    ...(isWord(param) && { param }),
  }
}

/** Types, codes and names of fields are words; what is none has no business there. */
const isWord = (value: unknown): value is string => typeof value === 'string' && /^[\w.[\]-]{1,64}$/.test(value)

const url = /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi
/** Absolute paths of two or more parts, but for those of APIs; and those of Windows. */
const filePath = /(?:\b[A-Za-z]:[\\/]|\\\\|~\/)[^\s"'<>]+|(?<![\w.:/])\/(?!v1\/|api\/)[\w.@+-]+(?:\/[\w.@+-]+)+\/?/g
const address = /\b(?:\d{1,3}(?:\.\d{1,3}){3}|localhost|\[[0-9a-f:]+\]):\d{2,5}\b/gi
/** Keys by the looks of them: known prefixes, JSON web tokens, `key=…`. */
const secret =
  /\b(?:sk|hf|pk|gsk|ghp|xai|Bearer)[-_ ][A-Za-z0-9_*.-]{6,}|\bAIza[\w-]{10,}|\bAKIA[A-Z0-9]{8,}|\beyJ[\w-]{8,}\.[\w.-]+|\b(?:api[-_]?)?(?:key|token|secret|password)=[^\s&"']+/gi

/** A backend's message without what must not leave the house: URLs, addresses, file paths, keys. */
export function presentable(message: string): string {
  return message
    .slice(0, longestMessage)
    .replace(url, '<url>')
    .replace(secret, '<key>')
    .replace(filePath, '<path>')
    .replace(address, '<address>')
}
