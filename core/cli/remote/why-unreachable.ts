import { ConfigError } from '../../errors.ts'
import type { Place } from './place.ts'

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ConnectionRefused: 'nothing listens there',
  FailedToOpenSocket: 'it cannot be reached',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'its name cannot be looked up now',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that host',
  ECONNRESET: 'it closed the connection; perhaps it speaks https and not http, or the other way round',
  ConnectionClosed: 'it closed the connection; perhaps it speaks https and not http, or the other way round',
  EPROTO: 'it speaks no https there; perhaps http',
  TimeoutError: 'it does not answer',
}

/** Why there was no answer. The error's own words stay inside: they may hold the address, or the key. */
export function whyUnreachable(cause: unknown, { name }: Place): ConfigError {
  const { name: kind } = cause as { readonly name?: unknown }
  const code = codeOf(cause)
  const known = words[String(code)] ?? words[String(kind)] ?? (isAboutCertificate(String(code)) ? certificate : 'it cannot be reached')
  return new ConfigError(`${name}: ${known}${typeof code === 'string' ? ` (${code})` : ''}`, { cause })
}

const isAboutCertificate = (code: string) => /CERT|SIGNED|ISSUER|TLS|SSL/i.test(code)
const certificate = 'its certificate is not trusted here; NODE_EXTRA_CA_CERTS=FILE names one more authority'

/** True for errors after which nobody can have begun to work on what was sent. */
export const isBeforeArrival = (cause: unknown): boolean => beforeArrival.includes(String(codeOf(cause)))

const beforeArrival: readonly string[] = [
  'ECONNREFUSED',
  'ConnectionRefused',
  'FailedToOpenSocket',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]

const codeOf = (cause: unknown): unknown => (cause as { readonly code?: unknown }).code
