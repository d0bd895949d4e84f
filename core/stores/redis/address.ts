import { ConfigError } from '../../errors.ts'

/** Where a Redis is and who we are to it. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  /** A Unix socket, instead of host and port. */
  readonly path?: string
  readonly tls: boolean
  readonly username?: string
  readonly password?: string
  readonly database: number
  /** Without user and password: this is what logs may say. */
  readonly shown: string
}

/**
 * Reads `redis://[[user]:password@]host[:port][/database]`, `rediss://` for TLS, or `redis:///path/of/a.sock[?db=1]`.
 * Throws when there is more in it, or something that cannot be.
 */
export function parseRedisUrl(text: string): RedisAddress {
  const url = URL.parse(text)
  if (!url || !/^rediss?:$/.test(url.protocol)) throw wrong('must be an address that starts with redis:// or rediss://')
  const tls = url.protocol === 'rediss:'
  const host = decode(url.hostname).replace(/^\[(.*)\]$/, '$1') || 'localhost'
  const port = Number(url.port || 6379)
  const path = decode(url.pathname)
  const isSocket = url.hostname === '' && path.length > 1 && !/^\/\d+$/.test(path)
  if (isSocket && tls) throw wrong('has no TLS over a Unix socket: begin it with redis://')
  const stray = [...url.searchParams.keys()].find(name => name !== 'db')
  if (stray !== undefined) throw wrong(`"${stray}" is not known behind the question mark; only db is`)
  if (url.hash !== '') throw wrong('ends with a # and more; a # in a password is written %23')

  const database = url.searchParams.get('db') ?? (isSocket ? '' : path.slice(1))
  if (!/^\d{0,5}$/.test(database)) throw wrong('needs the number of a database behind the host, for example redis://localhost:6379/1')
  const place = isSocket ? path : `//${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    host,
    port,
    ...(isSocket && { path }),
    tls,
    ...(url.username !== '' && { username: decode(url.username) }),
    ...(url.password !== '' && { password: decode(url.password) }),
    database: Number(database),
    shown: `${isSocket ? 'unix' : url.protocol.slice(0, -1)}:${place}${Number(database) === 0 ? '' : isSocket ? `?db=${database}` : `/${database}`}`,
  }
}

/** The address itself is never quoted: it may hold the password. */
const wrong = (problem: string) => new ConfigError(`redis.url: ${problem}`)

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw wrong('has a % that begins no character; a % in a password is written %25')
  }
}
