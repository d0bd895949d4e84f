import type { Config } from '../../config/schema.ts'
import { findEntryKey } from '../../entry-key.ts'
import { isLoopback } from '../../http/loopback.ts'
import { type Finding, ok, warning } from './finding.ts'

/** Shorter keys can be guessed by trying. */
const shortestKey = 16
const makeKey = 'set API_KEY to a long random text, for example from: openssl rand -hex 24'

/** Who may enter: does a key protect an address that others reach. `closed` says that there is a managed key, or was. */
export async function checkEntry(config: Config, closed: boolean): Promise<readonly Finding[]> {
  const open = isLoopback(config.host)
  if (config.auth === 'off') {
    if (open) return [ok('no key is needed (auth: off); only this machine can reach it')]
    return [warning(`anybody who reaches ${config.host} may use the models (auth: off)`, `leave out auth: off, and ${makeKey}`)]
  }
  if (config.api_key_sha256 !== undefined) return [ok('a key is needed (api_key_sha256)')]
  if (config.api_key !== undefined) {
    if (open || config.api_key.length >= shortestKey) return [ok('a key is needed (API_KEY)')]
    return [warning(`other machines can reach ${config.host}, and API_KEY is short enough to be guessed`, makeKey)]
  }
  const kept = await findEntryKey(config)
  if (!kept)
    return [ok(closed ? 'a key is needed (since the first managed key was made)' : 'no key is needed; only this machine can reach it')]
  return [ok(kept.secret === undefined ? 'a key is needed (made at an earlier start)' : 'a key is needed; the first start makes one')]
}
