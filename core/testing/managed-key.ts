import { generateKey } from '../records/generate-key.ts'
import type { KeySettings, StoredSecret } from '../records/keys.ts'
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

/** Makes a key that several houses over one Redis know by the same id. */
export async function makeKeyFor(houses: readonly Pick<House, 'serving'>[], settings: Partial<KeySettings> = {}): Promise<ManagedKey> {
  const { secret, ...stored } = generateKey()
  const [first, ...others] = houses as readonly [Pick<House, 'serving'>, ...Pick<House, 'serving'>[]]
  const { id } = await first.serving.gateway.records.keys.create({ ...plain, ...settings }, stored, { who: 'test' })
  for (const house of others) await learnKey(house, id, { ...plain, ...settings }, stored)
  return { id, secret, headers: { authorization: `Bearer ${secret}` } }
}

/** Where keys are not shared, the other house gets one of its own; databases that are new give it the same id. */
async function learnKey({ serving }: Pick<House, 'serving'>, id: number, settings: KeySettings, stored: StoredSecret): Promise<void> {
  const { keys, records } = serving.gateway
  const until = performance.now() + 1000
  while (performance.now() < until) {
    if (keys.get(id)) return
    await Bun.sleep(10)
  }
  const own = await records.keys.create(settings, stored, { who: 'test' })
  if (own.id !== id) throw new Error(`the key is ${id} in one house and ${own.id} in another`)
}
