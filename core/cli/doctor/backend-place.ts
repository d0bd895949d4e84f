import { existsSync } from 'node:fs'
import type { Config } from '../../config/schema.ts'
import { isLoopback } from '../../http/loopback.ts'
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

/** Nobody answers: what to do depends on whose machine it is, and on what is installed. */
export function howToStart(
  { label, setting, type, local, origin }: Place,
  reason: string,
  { config, path, inContainer }: Machine,
): Finding {
  const message = `${label} does not answer: ${reason}`
  if (!local) return problem(message, `start it, open its port to this machine, or correct ${setting}.base_url`)
  const installed = type === 'ollama' && findProgram('ollama', path) !== undefined
  if (installed && config.ollama_autostart && origin.startsWith('http:'))
    return warning(`${message}; ollama is installed, so gatehouse serve starts it`)
  if (installed) return problem(message, 'start it with: ollama serve (or leave out OLLAMA_AUTOSTART=false)')
  if (inContainer) {
    const outside = 'a server outside has another address, with Docker often host.docker.internal'
    return problem(message, `this is a container, and that is an address inside it; ${outside}: correct ${setting}.base_url`)
  }
  if (type === 'ollama') return problem(message, `install Ollama from https://ollama.com, or correct ${setting}.base_url`)
  return problem(message, `start it, or correct ${setting}.base_url`)
}

/** True inside Docker and Podman. */
export const isContainer = (): boolean => existsSync('/.dockerenv') || existsSync('/run/.containerenv')
