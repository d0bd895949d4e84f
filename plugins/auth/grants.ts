import { type Context, createAddressList, type Gateway, GatewayError, type IndexedKey, matchesGlob, type Principal } from 'gatehouse'

/** What a managed key stands for, made ready for being asked at every request. */
export interface Grants {
  readonly principal: Principal
  /** Throws the 403 that says why this request is not for this key. */
  check(ctx: Pick<Context, 'ip' | 'path'>): void
}

/** The grants of each key; made once, and anew when the key changes. */
export function createGrants({ standing }: Pick<Gateway['keys'], 'standing'>): (key: IndexedKey) => Grants {
  const made = new WeakMap<IndexedKey, Grants>()
  return key => {
    let grants = made.get(key)
    if (!grants) {
      grants = grantsOf(key, () => standing(key))
      made.set(key, grants)
    }
    return grants
  }
}

function grantsOf(key: IndexedKey, standing: () => ReturnType<Gateway['keys']['standing']>): Grants {
  const { id, allowedIps, allowedModels, allowedEndpoints, cacheScope } = key
  const fromThere = allowedIps.length > 0 ? createAddressList(allowedIps) : undefined
  const reaches = allowedEndpoints && ((path: string) => allowedEndpoints.some(glob => matchesGlob(glob, path)))
  const principal: Principal = {
    id: String(id),
    kind: 'key',
    key,
    ...(cacheScope && { cacheScope }),
    ...(allowedModels.length > 0 && { mayUse: (model: string) => allowedModels.some(glob => matchesGlob(glob, model)) }),
  }
  return {
    principal,
    check({ ip, path }) {
      const state = standing()
      if (state === 'disabled') throw refuse('key_disabled', 'This API key is disabled.')
      if (state === 'expired') throw refuse('key_expired', 'This API key has expired.')
      if (fromThere && !fromThere(ip)) throw refuse('ip_not_allowed', `This API key may not be used from the address ${ip}.`)
      if (reaches && !reaches(path)) throw refuse('endpoint_not_allowed', `This API key may not use ${path}.`)
    },
  }
}

const refuse = (code: string, message: string) => new GatewayError(403, 'permission_error', code, message)
