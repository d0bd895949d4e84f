import type { Config } from './config/schema.ts'
import { adminKey, type FoundKey, forgetHash, forgetSecret, keepHash, makeKey, readHash, sha256Of } from './kept-key.ts'

/**
 * The key of the administrator: the config's, else the one that is kept, else a new one. A key that was configured is
 * kept as well, and counts on when the setting is gone. Closes nothing, and writes nothing.
 */
export async function findAdminKey({ admin, data_dir: dataDir }: Pick<Config, 'admin' | 'data_dir'>): Promise<FoundKey> {
  const kept = await readHash(dataDir, adminKey)
  if (admin.api_key === undefined) return kept === undefined ? makeKey(adminKey) : { sha256: kept, isNew: false }
  const sha256 = sha256Of(admin.api_key)
  return { sha256, isNew: sha256 !== kept }
}

/** Makes a new admin key in place of the kept one, and answers it. When `use` throws, the one before stays. */
export async function resetAdminKey(dataDir: string, use: () => Promise<void> = async () => {}): Promise<string> {
  const before = await readHash(dataDir, adminKey)
  const { secret, sha256 } = makeKey(adminKey)
  await keepHash(dataDir, adminKey, sha256)
  try {
    await use()
  } catch (error) {
    await (before === undefined ? forgetHash(dataDir, adminKey) : keepHash(dataDir, adminKey, before))
    throw error
  }
  await forgetSecret(dataDir, adminKey)
  return secret
}
