import { createServer } from 'node:net'
import type { Config } from '../../config/schema.ts'
import type { Holder } from '../../data-folder/holder.ts'
import { isLoopback } from '../../http/loopback.ts'
import { type Finding, ok, problem } from './finding.ts'
import { codeOf } from './writable.ts'

type Door = Pick<Config, 'host' | 'port'>

/** How long something on the port may take to say what it is. */
const patienceMs = 1500

/** The port: free, ours, or somebody else's. `running` is the gatehouse of this data folder. */
export async function checkAddress({ host, port }: Door, running: Holder | undefined, signal: AbortSignal): Promise<readonly Finding[]> {
  const addresses = host === '127.0.0.1' || host === 'localhost' ? ['127.0.0.1', '::1'] : [host]
  for (const address of addresses) {
    const code = await tryPort(address, port)
    if (code === undefined) continue
    // a machine without IPv6 has one loopback address only
    if (address === '::1' && addresses.length > 1 && code !== 'EADDRINUSE') continue
    if (code === 'EADDRINUSE') return [await whoIsThere(address, port, running, signal)]
    return [refused(address, port, code)]
  }
  const elsewhere = running?.port === undefined ? '' : `; the gatehouse that runs listens on ${running.host} port ${running.port}`
  return [ok(`${describe(host)} port ${port} is free${elsewhere}`)]
}

const describe = (host: string) => (isLoopback(host) ? `${host} (this machine only)` : `${host} (other machines can reach it)`)

/** Undefined when one can listen there, else the reason's code. */
function tryPort(host: string, port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', error => resolve(codeOf(error)))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

async function whoIsThere(host: string, port: number, running: Holder | undefined, signal: AbortSignal): Promise<Finding> {
  const gatehouse = await isGatehouse(host, port, signal)
  const place = `port ${port} on ${host}`
  if (running?.port === port) {
    if (gatehouse) return ok(`${describe(running.host ?? host)} port ${port}: gatehouse answers (process ${running.pid})`)
    return problem(`process ${running.pid} says it listens on ${place}, but does not answer`, 'look into its log; if it hangs, stop it')
  }
  if (gatehouse) {
    return problem(`${place} is taken by a gatehouse with another data folder`, 'stop that one, or choose another port with PORT or --port')
  }
  return problem(`${place} is taken by another program`, `stop it${findIt(port)}, or choose another port with PORT or --port`)
}

const findIt = (port: number) => {
  if (process.platform === 'win32') return ` (netstat -ano | findstr :${port} says which)`
  return process.platform === 'linux' ? ` (ss -ltnp 'sport = :${port}' says which)` : ` (lsof -iTCP:${port} -sTCP:LISTEN says which)`
}

async function isGatehouse(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host
  const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
  const answers = ['http', 'https'].map(async scheme => {
    // a certificate need not name the address
    const init: BunFetchRequestInit = { signal: patience, redirect: 'manual', tls: { rejectUnauthorized: false } }
    const answer: unknown = await (await fetch(`${scheme}://${name}:${port}/health/live`, init)).json()
    if ((answer as { readonly status?: unknown } | null)?.status !== 'alive') throw new Error('another program')
    return true
  })
  return Promise.any(answers).catch(() => false)
}

function refused(host: string, port: number, code: string): Finding {
  if (code === 'EACCES') return problem(`port ${port} needs more rights than this user has`, 'choose one above 1023 with PORT or --port')
  if (code === 'EADDRNOTAVAIL') {
    return problem(`${host} is not an address of this machine`, 'set HOST to one of its own, to 0.0.0.0 for all of them, or leave it out')
  }
  return problem(`one cannot listen on ${host} port ${port} (${code})`, 'choose other ones with HOST and PORT')
}
