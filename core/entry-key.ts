import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config/schema.ts'
import { ConfigError } from './errors.ts'
import { isLoopback } from './http/loopback.ts'

/** A key gatehouse made for itself, because nobody set one and it must not be open. */
export interface EntryKey {
  /** SHA-256 in hex: all that is kept. */
  readonly sha256: string
  /** The secret, right after it was made; where it may be shown is the caller's business. */
  readonly secret?: string
}

const hashFile = (dataDir: string) => join(dataDir, 'api-key.sha256')
const secretFile = (dataDir: string) => join(dataDir, 'initial-api-key')

/**
 * The key that closes the gateway when the config has none: one made at an earlier start, or a new one where
 * it must not be open (`auth: required`, or an address that is not loopback). Undefined when it may be open.
 * Writes nothing: a start that fails must not leave a lock to which nobody has the key.
 */
export async function findEntryKey(config: Config): Promise<EntryKey | undefined> {
  if (config.auth === 'off' || config.api_key !== undefined || config.api_key_sha256 !== undefined) return
  const kept = await readFile(hashFile(config.data_dir), 'utf8').catch(() => undefined)
  if (kept && /^[0-9a-f]{64}$/.test(kept.trim())) return { sha256: kept.trim() }
  if (config.auth === 'auto' && isLoopback(config.host)) return
  const secret = `sk-${Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString('base64url')}`
  return { sha256: new Bun.CryptoHasher('sha256').update(secret).digest('hex'), secret }
}

/** Keeps the hash for the next start; with it, that one is closed too. */
export const keepHash = (dataDir: string, sha256: string): Promise<void> => writeAlone(dataDir, hashFile(dataDir), sha256)

/** Puts the secret where only the operator can read it, for starts without a terminal. Returns the path. */
export async function hideSecret(dataDir: string, secret: string): Promise<string> {
  await writeAlone(dataDir, secretFile(dataDir), secret)
  return secretFile(dataDir)
}

/** A new file that nobody else can read; what stood there, a link perhaps, is not written through. */
async function writeAlone(dataDir: string, path: string, text: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    await rm(path, { force: true })
    await writeFile(path, `${text}\n`, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    throw new ConfigError(
      `data_dir: ${path} cannot be written (${(cause as { code?: string }).code}); choose another folder with DATA_DIR`,
      { cause },
    )
  }
}

/** The key was used, so somebody has it: the file has done its work. */
export const forgetSecret = (dataDir: string): Promise<void> => rm(secretFile(dataDir), { force: true })

/** True when nobody is asked for a key. */
export const isOpen = ({ auth, api_key, api_key_sha256 }: Pick<Config, 'auth' | 'api_key' | 'api_key_sha256'>): boolean =>
  auth === 'off' || (api_key === undefined && api_key_sha256 === undefined)
