import { createCors, GatewayError } from 'gatehouse'

export interface DoorOptions {
  readonly allowedHosts: readonly string[]
  readonly corsOrigins: '*' | readonly string[]
}

/** Hosts that were found to be welcome, as they are written. */
const mostHosts = 100
const longestHost = 100

const loopbackName = /^(([a-z0-9-]+\.)*localhost|127(\.\d{1,3}){3}|::1)$/

/**
 * Guards a gateway that asks for no key against web pages: a page on a foreign origin, or one that has its
 * own host name point at this address (DNS rebinding), must not use the models of whoever looks at it.
 */
export function createDoor({ allowedHosts, corsOrigins }: DoorOptions) {
  const cors = createCors(corsOrigins)
  const hosts = new Set(allowedHosts.map(host => host.toLowerCase()))
  const welcome = new Set<string>()
  const remember = (host: string) => {
    if (welcome.size === mostHosts) welcome.clear()
    welcome.add(host)
  }

  return {
    /** Throws a 403 for a request that may not enter without a key. A missing Origin passes. */
    check({ headers }: Request, url: () => URL): void {
      const given = headers.get('host')
      const origin = headers.get('origin')
      // what almost every request is: one with a host that was seen before, and from no page
      if (given !== null && origin === null && welcome.has(given)) return
      const host = (given ?? url().host).toLowerCase()
      // as ALLOWED_HOSTS has them: no port, no brackets, no dot at the end
      const name = host
        .replace(/:\d+$/, '')
        .replace(/^\[|\]$/g, '')
        .replace(/\.$/, '')
      if (!loopbackName.test(name) && !hosts.has(name)) {
        throw new GatewayError(
          403,
          'permission_error',
          'host_not_allowed',
          `Without an API key, gatehouse answers only to loopback names, not to the host "${name.slice(0, 100)}". Add it to ALLOWED_HOSTS, or set API_KEY.`,
        )
      }
      if (given !== null && given.length <= longestHost) remember(given)
      if (origin === null || origin === `${url().protocol}//${host}` || cors.allows(origin)) return
      throw new GatewayError(
        403,
        'permission_error',
        'origin_not_allowed',
        'Without an API key, pages of this origin may not use gatehouse. Add the origin to CORS_ORIGINS, or set API_KEY.',
      )
    },
  }
}
