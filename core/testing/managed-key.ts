import { generateKey } from '../records/generate-key.ts'
import type { KeySettings } from '../records/keys.ts'
import type { House } from './open-house.ts'

/** A managed key as a test uses it. */
export interface ManagedKey {
  readonly id: number
  readonly secret: string
  /** The headers of a request with it. */
  readonly headers: Readonly<Record<string, string>>
}

const plain: KeySettings = {
  name: 'test',
  enabled: true,
  quota: null,
  quotaPeriod: 'total',
  rateLimit: null,
  tokensPerMinute: null,
  maxConcurrency: null,
  allowedIps: [],
  allowedModels: [],
  allowedEndpoints: null,
  allowedTools: [],
  cacheScope: null,
  expiresAt: null,
}

/** Makes a key in a house; what is not said is without limits. */
export async function makeKey({ serving }: Pick<House, 'serving'>, settings: Partial<KeySettings> = {}): Promise<ManagedKey> {
  const { secret, ...stored } = generateKey()
  const { id } = await serving.gateway.records.keys.create({ ...plain, ...settings }, stored, { who: 'test' })
  return { id, secret, headers: { authorization: `Bearer ${secret}` } }
}
