import { isIP } from 'node:net'

/** The host to listen on, without brackets; undefined unless it is an IP address or `localhost`. */
export function parseListenHost(text: string): string | undefined {
  const host = text
    .trim()
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
  return host === 'localhost' || isIP(host) !== 0 ? host : undefined
}

/** An IP address or a CIDR range such as `10.0.0.0/8`. */
export function parseNetwork(text: string): string | undefined {
  const [address = '', prefix, ...more] = text.trim().split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return undefined
  if (prefix === undefined) return address
  const fits = /^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128)
  return fits ? `${address}/${Number(prefix)}` : undefined
}

/** The name in a `Host` header, lower case and without a port; IPv6 addresses lose their brackets. */
export function parseHostName(text: string): string | undefined {
  const host = text
    .trim()
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
  return isIP(host) !== 0 || /^[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?$/.test(host) ? host : undefined
}

/** What a browser sends as `Origin`: scheme, host and perhaps a port. Extensions and desktop apps have schemes of their own. */
export function parseOrigin(text: string): string | undefined {
  const origin = text.trim().toLowerCase().replace(/\/$/, '')
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s@*]+$/.test(origin) ? origin : undefined
}

/** The root of a backend's API: http or https, without a trailing slash and without a trailing `/v1`. */
export function parseBaseUrl(text: string): string | undefined {
  const trimmed = text.trim()
  if (!/^https?:\/\//i.test(trimmed) || !URL.canParse(trimmed)) return undefined
  const url = new URL(trimmed)
  if (url.search !== '' || url.hash !== '') return undefined
  return url.href.replace(/\/+$/, '').replace(/\/v1$/, '').replace(/\/+$/, '')
}
