import type { Config } from './config/schema.ts'
import { isLoopback } from './http/loopback.ts'
import { apiKey, type FoundKey, makeKey, readHash } from './kept-key.ts'

/**
 * The key that closes the gateway when the config has none: one made at an earlier start, or a new one where
 * it must not be open (`auth: required`, or an address that is not loopback). Undefined when it may be open.
 * Writes nothing: a start that fails must not leave a lock to which nobody has the key.
 */
export async function findEntryKey(config: Config): Promise<FoundKey | undefined> {
  if (config.auth === 'off' || config.api_key !== undefined || config.api_key_sha256 !== undefined) return
  const sha256 = await readHash(config.data_dir, apiKey)
  if (sha256 !== undefined) return { sha256, isNew: false }
  if (config.auth === 'auto' && isLoopback(config.host)) return
  return makeKey(apiKey)
}

/** True when nobody is asked for a key. */
export const isOpen = ({ auth, api_key, api_key_sha256 }: Pick<Config, 'auth' | 'api_key' | 'api_key_sha256'>): boolean =>
  auth === 'off' || (api_key === undefined && api_key_sha256 === undefined)
