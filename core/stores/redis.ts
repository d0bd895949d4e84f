import { isIP } from 'node:net'
import { Redis } from 'ioredis'
import type { Logger } from '../log.ts'
import { parseRedisUrl } from './redis/address.ts'
import type { Dial } from './redis/connection.ts'
import { createLink, type OnError, type RedisLink } from './redis/link.ts'
import { createRedisStore, type RedisStore } from './redis/store.ts'

export type { OnError, RedisLink } from './redis/link.ts'
export type { RedisStore } from './redis/store.ts'

export interface RedisOptions {
  /** `redis.url`. */
  readonly url: string
  readonly onError: OnError
  readonly log: Logger
}

/** The link of this process to Redis, for all that is shared through it. Throws when the address makes no sense. */
export const openRedis = ({ url, onError, log }: RedisOptions): RedisLink => createLink({ address: parseRedisUrl(url), onError, dial, log })

/** A store in Redis over a link of its own, which it closes. With `now` buckets go by that clock, else by that of Redis. */
export const redisStore = ({ now, ...options }: RedisOptions & { readonly now?: () => number }): RedisStore =>
  createRedisStore(openRedis(options), now)

/**
 * A client for a single connection. ioredis would mend it by itself, but a hung Redis keeps it waiting (`end` is polite and
 * waits for the other side), it goes on in database 0 when the wanted one is refused, and tries ever more seldom.
 */
const dial: Dial = ({ host, port, path, tls, username, password, database }, onLost) => {
  const client = new Redis({
    ...(path === undefined ? { host, port } : { path }),
    ...(tls && { tls: isIP(host) === 0 ? { servername: host } : {} }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    db: database,
    connectionName: 'gatehouse',
    disableClientInfo: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: null,
    lazyConnect: true,
  })
  let failure: unknown
  client.on('error', error => {
    failure ??= error
    onLost(error)
  })
  client.on('close', () => onLost(failure))
  client.on('connect', () => client.stream.on('error', () => {})) // ioredis listens to the first one only
  const opened = client.connect()
  opened.catch(() => {}) // who cares is told by onLost

  let corked = false
  const uncork = () => {
    corked = false
    client.stream.uncork()
  }
  return {
    opened,
    send(command, args) {
      // what comes in one turn of the event loop leaves in one write: a third less work per command at 64 in flight
      if (!corked) {
        corked = true
        client.stream.cork()
        setImmediate(uncork)
      }
      return client.callBuffer(command, ...args.map(asSent))
    },
    destroy() {
      if (client.stream) client.stream.destroy()
      else client.disconnect()
    },
  }
}

/** ioredis knows bytes by Buffer only. */
const asSent = (argument: string | number | Uint8Array) =>
  argument instanceof Uint8Array ? Buffer.from(argument.buffer, argument.byteOffset, argument.length) : argument
