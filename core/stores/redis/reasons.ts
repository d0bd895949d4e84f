/** Codes of error replies after which nothing else can be hoped for either, and what they mean. */
const refusals: Readonly<Record<string, string>> = {
  LOADING: 'it still loads its data',
  READONLY: 'it is a replica and takes no writes',
  OOM: 'its memory is full (maxmemory), and nothing in it may be evicted',
  MISCONF: 'it cannot save to its disk and takes no writes',
  MASTERDOWN: 'it is a replica that has lost its master',
  NOREPLICAS: 'it has too few replicas to take writes',
  BUSY: 'a script of somebody else keeps it busy',
  NOAUTH: 'it asks for a password',
  WRONGPASS: 'it refuses the user or the password',
  NOPERM: 'the user may not do what gatehouse needs',
  DENIED: 'it is in protected mode and answers its own machine only',
  MOVED: 'it is a node of a Redis Cluster, which is not supported',
  CLUSTERDOWN: 'it is a node of a Redis Cluster, which is not supported',
}

/** The same where the code is just ERR. */
const sayings: readonly (readonly [RegExp, string])[] = [
  [/The user executing the script can't|ACL failure in script/, 'the user may not do what gatehouse needs'],
  [/invalid password|no password is set/i, 'it refuses the user or the password'],
  [/DB index|SELECT is not allowed/i, 'it has no database of that number'],
  [/max number of clients/i, 'it has as many clients as it takes (maxclients)'],
]

/** Errors of the network and of TLS by their code. */
const failures: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  ENOENT: 'there is no such socket',
  EACCES: 'the socket may not be opened',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name cannot be looked up',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its network',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not trusted',
}

/** Why a connection cannot be used, known without asking Redis. */
export class RedisUnusable extends Error {}

/** The code of an error reply such as `WRONGTYPE`, also when a script passed it on; undefined for other errors. */
export function replyCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof RedisUnusable || 'code' in error) return undefined // what has a code of its own is the network's
  const code = error.message.match(/^-?([A-Z][A-Z0-9]+)(?= |$)/)?.[1]
  // before version 7 a script wraps what it was refused with
  return code === 'ERR' ? (error.message.match(/: -([A-Z]+) /)?.[1] ?? code) : code
}

/** True for an error reply that concerns more than the one command. */
export const isRefusal = (error: unknown): boolean => {
  const code = replyCode(error)
  return code !== undefined && (code in refusals || (code === 'ERR' && sayingOf(error) !== undefined))
}

/** Why Redis cannot be used, in words that hold nothing secret: Redis may quote commands, and with them a password. */
export function reasonOf(error: unknown): string {
  if (error instanceof RedisUnusable) return error.message
  const code = replyCode(error)
  if (code !== undefined) return refusals[code] ?? sayingOf(error) ?? `it answers with an error (${code})`
  const failure = String((error as { code?: unknown } | undefined)?.code ?? '')
  return failures[failure] ?? (failure === '' ? 'the connection was closed' : `the connection failed (${failure})`)
}

const sayingOf = (error: unknown) => sayings.find(([pattern]) => pattern.test((error as Error).message))?.[1]
