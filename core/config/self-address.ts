import type { Draft } from './draft.ts'
import { formatPath, getPath, isMapping } from './tree.ts'

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/

/**
 * Finds the backends that are gatehouse itself: asking one would ask it again, without end. In the file of an
 * older gateway they are left out with a warning, since one came with such an example; elsewhere they are a mistake.
 */
export function dropOwnBackends({ tree, origins, warnings, problems }: Draft, port: number | undefined): void {
  const { host = '127.0.0.1', backends } = tree
  const own = port ?? Number(tree.port ?? 11_435)
  if (!isMapping(backends) || !['127.0.0.1', 'localhost', '::1', '0.0.0.0', '::', '[::]'].includes(String(host))) return
  for (const name of Object.keys(backends)) {
    const address = getPath(backends, [name, 'base_url'])
    const url = typeof address === 'string' ? URL.parse(address.trim()) : null
    if (!url || !loopback.test(url.hostname) || Number(url.port || (url.protocol === 'https:' ? 443 : 80)) !== own) continue
    const path = ['backends', name, 'base_url']
    const origin = origins.of(path)
    const message = 'is the address gatehouse itself listens on'
    if (origin?.writtenAs) {
      delete backends[name]
      warnings.push(`${origin.label}: ${formatPath(origin.writtenAs)}: is left out, because it ${message}`)
    } else problems.push({ path, message: `${message}; change it, or the port` })
  }
}
