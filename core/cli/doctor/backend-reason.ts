import { GatewayError } from '../../errors.ts'

/** Why a backend gave no list of models. */
export interface Reason {
  readonly kind: 'unreachable' | 'key' | 'certificate' | 'busy' | 'other'
  readonly text: string
}

const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ConnectionRefused: 'nothing listens there',
  ENOTFOUND: 'no machine of that name is known',
  EAI_AGAIN: 'its name cannot be looked up now',
  EHOSTUNREACH: 'there is no way to that machine',
  ENETUNREACH: 'there is no way to its network',
  ETIMEDOUT: 'it does not answer',
  ECONNRESET: 'it closes the connection',
  ConnectionClosed: 'it closes the connection',
}

/** In words what a backend threw. Nothing is quoted of what it sent. */
export function reasonOf(error: unknown, timeoutMs: number): Reason {
  const name = error instanceof Error ? error.name : ''
  if (name === 'TimeoutError' || name === 'AbortError') return { kind: 'unreachable', text: `no answer within ${timeoutMs / 1000} s` }
  const code = codes(error).at(-1) ?? ''
  const known = unreachable[code]
  if (known) return { kind: 'unreachable', text: known }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) return { kind: 'certificate', text: `its certificate is not trusted (${code})` }
  if (code === 'EPROTO') return { kind: 'other', text: 'it does not speak TLS there; is it http:// instead of https://?' }
  const status = Number(/\bstatus (\d{3})\b/.exec(error instanceof Error ? error.message : '')?.[1])
  if (status === 401 || status === 403) return { kind: 'key', text: `it refuses the key, or the lack of one (${status})` }
  if (status === 503 || status === 429) return { kind: 'busy', text: `it is busy or still loading (${status})` }
  if (status) return { kind: 'other', text: `it answers with the status ${status}` }
  if (code) return { kind: 'unreachable', text: `it cannot be reached (${code})` }
  return { kind: 'other', text: error instanceof GatewayError ? error.message : `it failed (${name || typeof error})` }
}

/** The codes of an error and of what caused it, the outermost first. */
function codes(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return []
  const { code } = error as { readonly code?: unknown }
  // our own errors have codes for clients
  const own = typeof code === 'string' && !(error instanceof GatewayError) ? [code] : []
  return [...own, ...codes(error.cause)]
}
