import { parseArgs } from 'node:util'
import type { Rival } from './house/rival.ts'
import { type Arrivals, arrivals } from './load/schedule.ts'
import type { Length } from './report/part.ts'

/** What the command line asks for. */
export interface Options {
  /** The parts to run; empty for all. */
  readonly parts: readonly string[]
  readonly length: Length
  readonly save: boolean
  readonly markdown: boolean
  /** Only start the upstream, for whoever configures a rival. */
  readonly hold: boolean
  readonly upstreamPort: number
  readonly rivals: readonly Rival[]
  readonly arrivals: Arrivals
}

/** Where the upstream listens when rivals have to know it beforehand. */
export const rivalUpstreamPort = 18434

/** Reads the command line; an error says what is wrong with it. */
export function readOptions(args: readonly string[], partNames: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      save: { type: 'boolean', default: false },
      short: { type: 'boolean', default: false },
      long: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      hold: { type: 'boolean', default: false },
      'upstream-port': { type: 'string' },
      rival: { type: 'string', multiple: true, default: [] },
      'rival-pid': { type: 'string', multiple: true, default: [] },
      arrivals: { type: 'string', default: 'poisson' },
    },
    allowPositionals: true,
  })
  const { save, markdown, hold, short, long } = values
  const rivals = readRivals(values.rival, values['rival-pid'])
  const unknown = positionals.find(name => !partNames.includes(name))
  if (unknown !== undefined) throw new Error(`there is no part "${unknown}"; there are ${partNames.join(', ')}`)
  if (short && long) throw new Error('a run is --short or --long, not both')
  if (save && (positionals.length > 0 || short || long))
    throw new Error('--save keeps a whole run of the usual length: leave out the parts, --short and --long')
  return {
    parts: positionals,
    length: long ? 'long' : short ? 'short' : 'usual',
    save,
    markdown,
    hold,
    upstreamPort: readPort(values['upstream-port'], hold || rivals.length > 0 ? rivalUpstreamPort : 0),
    rivals,
    arrivals: readArrivals(values.arrivals),
  }
}

function readRivals(addresses: readonly string[], pids: readonly string[]): Rival[] {
  const pidOf = new Map(pids.map(text => readPair('--rival-pid', text, 'PID')))
  const rivals = addresses.map(text => {
    const [name, address] = readPair('--rival', text, 'URL')
    const url = URL.canParse(address) ? new URL(address) : undefined
    if (url?.protocol !== 'http:') throw new Error(`--rival ${text}: needs an http:// URL, such as http://127.0.0.1:4000`)
    const pid = pidOf.get(name)
    if (pid !== undefined && !/^[1-9]\d*$/.test(pid)) throw new Error(`--rival-pid ${name}=${pid}: needs the number of a process`)
    return { name, url: url.href.replace(/\/(v1\/?)?$/, ''), ...(pid !== undefined && { pid: Number(pid) }) }
  })
  const names = rivals.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i || ours.test(name))
  if (twice !== undefined) throw new Error(`--rival ${twice}: the name is taken; every way needs one of its own`)
  const stray = [...pidOf.keys()].find(name => !names.includes(name))
  if (stray !== undefined) throw new Error(`--rival-pid ${stray}: there is no --rival of that name`)
  return rivals
}

const ours = /^(direct|gatehouse|nginx.*)$/

function readPair(option: string, text: string, what: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1) throw new Error(`${option} ${text}: has to be NAME=${what}`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function readPort(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new Error(`--upstream-port ${text}: has to be a port, 1 to 65535`)
  return port
}

function readArrivals(text: string): Arrivals {
  const known = arrivals.find(name => name === text)
  if (!known) throw new Error(`--arrivals ${text}: has to be ${arrivals.join(' or ')}`)
  return known
}
