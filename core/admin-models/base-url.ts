import { parseBaseUrl } from '../config/address.ts'
import type { Config } from '../config/schema.ts'
import { isOwnAddress } from '../config/self-address.ts'
import { maskUrl } from '../secrets/mask-url.ts'

/** An address as the config would have it, or what is wrong with it, to be read after "base_url". */
export type BaseUrl = { readonly url: string } | { readonly problem: string }

/** Reads the address of a model server that came over the admin API: what the config takes, but nothing secret. */
export function readBaseUrl(text: string, { host, port }: Pick<Config, 'host' | 'port'>): BaseUrl {
  const url = parseBaseUrl(text)
  if (url === undefined) {
    return { problem: 'must be an address that starts with http:// or https:// and has no ? or #, for example http://localhost:11434' }
  }
  // the database holds no secrets but hashes, and everybody with the admin key would see this one
  if (maskUrl(url) !== url) {
    return { problem: 'must not hold a user, a password or a key; configure a backend in gatehouse.yaml and name that' }
  }
  if (isOwnAddress(url, { host, port })) return { problem: 'is the address gatehouse itself listens on' }
  return { url }
}
