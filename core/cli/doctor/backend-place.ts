import { existsSync } from 'node:fs'
import type { Config } from '../../config/schema.ts'
import { isLoopback } from '../../http/loopback.ts'
import type { Silence } from './backend-reason.ts'
import { type Finding, problem, warning } from './finding.ts'

type Entry = Exclude<Config['backends'][string], { type: 'echo' }>

/** A backend as the doctor speaks of it. */
export interface Place {
  /** `ollama at http://localhost:11434`. */
  readonly label: string
  /** The path of its settings. */
  readonly setting: string
  readonly type: Entry['type']
  /** Without user, password and path. */
  readonly origin: string
  /** True when it runs on this machine. */
  readonly local: boolean
  /** How to get a model there. */
  readonly pull?: (model: string) => string
}

/** What is known of a backend before it is asked. */
export function placeOf(name: string, { type, base_url }: Entry, { path }: { readonly path: string | undefined }): Place {
  const { protocol, host, hostname, pathname } = new URL(base_url) // not the userinfo, not the query
  const local = isLoopback(hostname)
  const address = `${protocol}//${host}${pathname === '/' ? '' : pathname}`
  const elsewhere = local && (host.endsWith(':11434') || !findProgram('ollama', path)) ? '' : `OLLAMA_HOST=${address} `
  return {
    label: `${type} at ${address}`,
    origin: `${protocol}//${host}`,
    setting: `backends.${name}`,
    type,
    local,
    ...(type === 'ollama' && { pull: (model: string) => `${elsewhere}ollama pull ${model}` }),
  }
}

/** The full path of a program, undefined when there is none. */
export const findProgram = (name: string, path: string | undefined): string | undefined =>
  Bun.which(name, { PATH: path ?? '' }) ?? undefined

/** What decides how a server can be started. */
export interface Machine {
  readonly config: Pick<Config, 'ollama_autostart'>
  /** Where programs are looked for. */
  readonly path: string | undefined
  readonly inContainer: boolean
}

/** Nobody answers: what to do depends on why, on whose machine it is, and on what is installed. */
export function howToStart(
  { label, setting, type, local, origin }: Place,
  { kind, text }: { readonly kind: Silence; readonly text: string },
  { config, path, inContainer }: Machine,
): Finding {
  const message = `${label} does not answer: ${text}`
  const correct = `or correct ${setting}.base_url`
  if (kind === 'name') {
    const { hostname } = new URL(origin)
    const known = 'see to it that this machine can look the name up (DNS, /etc/hosts)'
    return problem(message, `"${hostname}" may be misspelt: correct ${setting}.base_url, or ${known}`)
  }
  if (!local) return problem(message, `start it, open its port to this machine, ${correct}`)
  if (kind === 'late') return problem(message, `it takes connections and says nothing: look into its log, start it again, ${correct}`)
  const installed = type === 'ollama' && kind === 'absent' && findProgram('ollama', path) !== undefined
  if (installed && config.ollama_autostart && origin.startsWith('http:'))
    return warning(`${message}; ollama is installed, so gatehouse serve starts it`)
  if (installed) return problem(message, 'start it with: ollama serve (or leave out OLLAMA_AUTOSTART=false)')
  const outside = 'this is a container, and a server outside of it has another address, with Docker often host.docker.internal'
  const hint = inContainer && kind === 'absent' ? `: ${outside}` : ''
  return problem(message, `${type === 'ollama' ? 'start it, or install it from https://ollama.com' : 'start it'}, ${correct}${hint}`)
}

/** True inside Docker and Podman. */
export const isContainer = (): boolean => existsSync('/.dockerenv') || existsSync('/run/.containerenv')
