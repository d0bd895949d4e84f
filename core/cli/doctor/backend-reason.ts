import { GatewayError } from '../../errors.ts'

/** Why a backend gave no list of models. */
export interface Reason {
  /** `absent`: nothing listens there. `name`: its name cannot be looked up. `late`: it says nothing. */
  readonly kind: Silence | 'key' | 'certificate' | 'busy' | 'other'
  readonly text: string
}

/** How a server can be out of reach. */
export type Silence = 'absent' | 'name' | 'late' | 'unreachable'

const silences: Readonly<Record<string, { readonly kind: Silence; readonly text: string }>> = {
  ECONNREFUSED: { kind: 'absent', text: 'nothing listens there' },
  ConnectionRefused: { kind: 'absent', text: 'nothing listens there' },
  ENOTFOUND: { kind: 'name', text: 'no machine of that name is known' },
  EAI_AGAIN: { kind: 'name', text: 'its name cannot be looked up now' },
  EHOSTUNREACH: { kind: 'unreachable', text: 'there is no way to that machine' },
  ENETUNREACH: { kind: 'unreachable', text: 'there is no way to its network' },
  ETIMEDOUT: { kind: 'late', text: 'it does not answer' },
  ECONNRESET: { kind: 'unreachable', text: 'it closes the connection' },
  ConnectionClosed: { kind: 'unreachable', text: 'it closes the connection' },
}

/** True for a server that did not answer at all. */
export const isSilent = (reason: Reason): reason is Reason & { readonly kind: Silence } =>
  ['absent', 'name', 'late', 'unreachable'].includes(reason.kind)

/** In words what a backend threw. Nothing is quoted of what it sent. */
export function reasonOf(error: unknown, timeoutMs: number): Reason {
  const name = error instanceof Error ? error.name : ''
  if (isTimeout(error)) return { kind: 'late', text: `no answer within ${timeoutMs / 1000} s` }
  const code = codes(error).at(-1) ?? ''
  const known = silences[code]
  if (known) return known
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) return { kind: 'certificate', text: `its certificate is not trusted (${code})` }
  if (code === 'EPROTO') return { kind: 'other', text: 'it does not speak TLS there; is it http:// instead of https://?' }
  const status = Number(/\bstatus (\d{3})\b/.exec(error instanceof Error ? error.message : '')?.[1])
  if (status === 401 || status === 403) return { kind: 'key', text: `it refuses the key, or the lack of one (${status})` }
  if (status === 503 || status === 429) return { kind: 'busy', text: `it is busy or still loading (${status})` }
  if (status) return { kind: 'other', text: `it answers with the status ${status}` }
  if (code) return { kind: 'unreachable', text: `it cannot be reached (${code})` }
  return { kind: 'other', text: error instanceof GatewayError ? error.message : `it failed (${name || typeof error})` }
}

const isTimeout = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError' || isTimeout(error.cause))

/** The codes of an error and of what caused it, the outermost first. */
function codes(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return []
  const { code } = error as { readonly code?: unknown }
  // our own errors have codes for clients
  const own = typeof code === 'string' && !(error instanceof GatewayError) ? [code] : []
  return [...own, ...codes(error.cause)]
}
