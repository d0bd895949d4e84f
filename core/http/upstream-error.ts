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
  if (detail !== undefined) return { message: presentable(typeof detail === 'string' ? detail : JSON.stringify(detail)) }
}

function fromObject({ message, type, code, param }: Record<string, unknown>): UpstreamError | undefined {
  if (typeof message !== 'string') return
  return {
    message: presentable(message),
    ...(typeof type === 'string' && { type }),
    ...(typeof code === 'string' && { code }),
    ...(typeof param === 'string' && { param }),
  }
}

const url = /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi
/** Absolute paths below the roots where people keep models; API paths such as /v1/models are not among them. */
const filePath = /(?:\b[A-Za-z]:\\|~\/|\/(?:home|root|Users|var|tmp|opt|mnt|data|srv|usr|etc|models?|media|workspace|app)\/)[^\s"']*/g
const secret = /\b(?:sk|hf|pk|Bearer)[-_ ][A-Za-z0-9_*.-]{6,}/g

/** A backend's message without what must not leave the house: URLs, file paths, keys. */
export function presentable(message: string): string {
  return message.slice(0, longestMessage).replace(url, '<url>').replace(filePath, '<path>').replace(secret, '<key>')
}
