import { isIP } from 'node:net'
import { createAddressList } from './address-list.ts'

/**
 * The caller's address. `X-Forwarded-For` counts only when the socket's peer is a trusted proxy, and is read
 * from the right: what stands left of the first untrusted address was written by strangers.
 */
export function createClientIp(trusted: readonly string[]): (peer: string, headers: Headers) => string {
  if (trusted.length === 0) return plain
  const trusts = createAddressList(trusted)

  return (peer, headers) => {
    let ip = plain(peer)
    const hops = (headers.get('x-forwarded-for') ?? '').split(',').map(hop => plain(hop.trim()))
    while (trusts(ip)) {
      const hop = hops.pop()
      if (hop === undefined || isIP(hop) === 0) break
      ip = hop
    }
    return ip
  }
}

/** An IPv4 address that came in over an IPv6 socket is the IPv4 address. */
const plain = (address: string): string => (address.startsWith('::ffff:') ? address.slice(7) : address)
