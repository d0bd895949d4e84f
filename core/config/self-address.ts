import { networkInterfaces } from 'node:os'
import type { Draft } from './draft.ts'
import { formatPath, getPath, isMapping } from './tree.ts'

const loopback = ['localhost', '127.0.0.1', '::1']
const everywhere = ['0.0.0.0', '::', '[::]']
/** Who connects to the address of nobody in particular reaches this machine; the last is 127.0.0.1 written as IPv6. */
const thisMachine = /^((.+\.)?localhost|127(\.\d+){3}|::1|0\.0\.0\.0|::|::ffff:7f[\da-f]{2}:[\da-f]{1,4})$/

/**
 * Finds the backends that are gatehouse itself: asking one would ask it again, without end. In the file of an
 * older gateway they are left out with a warning, since one came with such an example; elsewhere they are a mistake.
 */
export function dropOwnBackends({ tree, origins, warnings, problems }: Draft, port: number | undefined): void {
  const { host = '127.0.0.1', backends } = tree
  if (!isMapping(backends)) return
  for (const name of Object.keys(backends)) {
    const address = getPath(backends, [name, 'base_url'])
    if (typeof address !== 'string' || !isOwnAddress(address, { host: String(host), port: port ?? Number(tree.port ?? 11_435) })) continue
    const path = ['backends', name, 'base_url']
    const origin = origins.of(path)
    const message = 'is the address gatehouse itself listens on'
    if (origin?.writtenAs) {
      delete backends[name]
      warnings.push(`${origin.label}: ${formatPath(origin.writtenAs)}: is left out, because it ${message}`)
    } else problems.push({ path, message: `${message}; change it, or the port` })
  }
}

/** True for the address of a gatehouse that listens on `host` and `port`, as far as that can be told without asking anybody. */
export function isOwnAddress(address: string, { host, port }: { readonly host: string; readonly port: number }): boolean {
  const url = URL.parse(address.trim())
  if (!url || Number(url.port || (url.protocol === 'https:' ? 443 : 80)) !== port) return false
  const name = url.hostname.replace(/^\[|\]$|\.$/g, '')
  if (everywhere.includes(host)) return thisMachine.test(name) || ownAddresses().includes(name)
  return loopback.includes(host) ? thisMachine.test(name) : name === host
}

const ownAddresses = () => Object.values(networkInterfaces()).flatMap(addresses => addresses?.map(({ address }) => address) ?? [])
