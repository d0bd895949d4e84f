import { hostname } from 'node:os'
import { join } from 'node:path'
import { describeHolder, readHolder } from '../../data-folder/holder.ts'
import { readLocalDoor } from '../../data-folder/local-door.ts'
import { isLocked } from '../../data-folder/lock.ts'
import { ConfigError } from '../../errors.ts'
import { isLoopback } from '../../http/loopback.ts'
import type { Place } from './place.ts'
import { headerKey } from './server-place.ts'

/**
 * The gatehouse that serves from a data folder. Without a key on the command line its own token opens; where it only
 * listens on an address that is not loopback the token counts nothing, and the key of the environment is used.
 */
export async function ownPlace(dataDir: string, given: string | undefined, fromEnvironment: string | undefined): Promise<Place> {
  const run = join(dataDir, 'run')
  if ((await isLocked(join(run, 'serve.lock'), 1)) === false) throw notRunning(dataDir)
  const door = readLocalDoor(run)
  if (!door) {
    const holder = readHolder(run)
    if (!holder) throw notRunning(dataDir)
    throw new ConfigError(`the gatehouse of ${dataDir} (${describeHolder(holder, hostname())}) has not said how to reach it; try again`)
  }
  const { host, port, tls, token } = door
  const reached = host === '0.0.0.0' || host === 'localhost' ? '127.0.0.1' : host === '::' ? '::1' : host
  const own = isLoopback(reached)
  const key = given ?? (own ? token : fromEnvironment)
  const url = `${tls ? 'https' : 'http'}://${reached.includes(':') ? `[${reached}]` : reached}:${port}`
  return {
    name: url,
    url,
    key: key === undefined ? undefined : headerKey(key),
    advice: own
      ? given === undefined
        ? 'is auth in its pipeline? Else give its admin key with --api-key'
        : 'leave out --api-key: on its own machine none is needed'
      : 'it listens on no loopback address, so give its admin key with --api-key or GATEHOUSE_ADMIN_API_KEY',
    own,
  }
}

const notRunning = (dataDir: string) =>
  new ConfigError(`no gatehouse serves from ${dataDir}; start one with gatehouse serve, or name another one with --server or --config`)
