import { chown, mkdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { writePrivateLine } from './data-folder/private-file.ts'
import { ConfigError } from './errors.ts'

/** A kind of key that gatehouse makes for itself. The data folder keeps its hash; the secret only until its first use. */
export interface KeyKind {
  /** For people. */
  readonly title: string
  /** How its secrets begin, so that they are recognised where they do not belong. */
  readonly prefix: string
  readonly hashFile: string
  readonly secretFile: string
}

/** The key that clients show when nobody set one and it must not be open. */
export const apiKey: KeyKind = { title: 'API key', prefix: 'sk-', hashFile: 'api-key.sha256', secretFile: 'initial-api-key' }

/** The key of the administrator. */
export const adminKey: KeyKind = {
  title: 'admin key',
  prefix: 'sk-admin-',
  hashFile: 'admin-key.sha256',
  secretFile: 'initial-admin-key',
}

/** A key as it was found or made. */
export interface FoundKey {
  /** SHA-256 in hex: all that is kept. */
  readonly sha256: string
  /** The secret, right after it was made; where it may be shown is the caller's business. */
  readonly secret?: string
  /** True when the data folder does not have this hash yet. */
  readonly isNew: boolean
}

/** A new key. Nothing is written. */
export function makeKey({ prefix }: Pick<KeyKind, 'prefix'>): Required<FoundKey> {
  const secret = `${prefix}${Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString('base64url')}`
  return { sha256: sha256Of(secret), secret, isNew: true }
}

/** SHA-256 in hex. */
export const sha256Of = (secret: string): string => new Bun.CryptoHasher('sha256').update(secret).digest('hex')

/** The hash that the data folder keeps; undefined when it keeps none. Throws a ConfigError when it cannot be read. */
export async function readHash(dataDir: string, { hashFile, title }: KeyKind): Promise<string | undefined> {
  const path = join(dataDir, hashFile)
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined
    throw new ConfigError(`data_dir: ${path} cannot be read (${cause.code})`, { cause })
  })
  if (text === undefined || /^[0-9a-f]{64}$/.test(text.trim())) return text?.trim()
  // taken for none, it would open a door that a key has closed
  throw new ConfigError(`data_dir: ${path} does not hold the hash of a key; remove that file to have a new ${title} made`)
}

/** Keeps a hash for the next start. */
export const keepHash = (dataDir: string, { hashFile }: KeyKind, sha256: string): Promise<void> => writeLine(dataDir, hashFile, sha256)

/** Puts the secret where only the operator can read it, for starts without a terminal. Returns the path. */
export async function hideSecret(dataDir: string, { secretFile }: KeyKind, secret: string): Promise<string> {
  await writeLine(dataDir, secretFile, secret)
  return join(dataDir, secretFile)
}

/** The key was used, so somebody has it; or it counts no more. */
export const forgetSecret = (dataDir: string, { secretFile }: KeyKind): Promise<void> => rm(join(dataDir, secretFile), { force: true })

/** The key is as if it had never been. */
export const forgetHash = (dataDir: string, { hashFile }: KeyKind): Promise<void> => rm(join(dataDir, hashFile), { force: true })

async function writeLine(dataDir: string, name: string, line: string): Promise<void> {
  const path = join(dataDir, name)
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    writePrivateLine(path, line)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new ConfigError(`data_dir: ${path} cannot be written (${code}); choose another folder with DATA_DIR`, { cause })
  }
  await giveToOwner(path, dataDir)
}

/** What root writes into the folder of a service must be readable for the service. */
export async function giveToOwner(path: string, folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = await stat(folder)
  await chown(path, uid, gid).catch(() => {}) // not every file system and container lets root do that
}
