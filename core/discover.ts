import { type Backends, type Place, usualPlaces } from './discover/identity.ts'
import { watchPlace } from './discover/watch-place.ts'
import type { Logger } from './log.ts'

export { identify } from './discover/identify.ts'
export { type Identity, type Place, usualPlaces } from './discover/identity.ts'

/** Looks for model servers on this machine, and keeps looking. */
export interface Discovery {
  /** Everything found so far, the first find first. A server that goes away stays: its names keep their meaning. */
  readonly found: Backends
  /** Looks once, everywhere, and resolves with everything found so far. Takes less than a second. */
  look(): Promise<Backends>
  /** Looks again and again. Starting twice is fine. */
  start(): void
  /** Stops looking; `start` goes on. */
  close(): void
}

export interface DiscoveryOptions {
  readonly places?: readonly Place[]
  /** The pause between two looks; by default short at first, while people start things. */
  readonly everyMs?: number
  readonly log: Logger
  /** Called with everything found so far when there is something new, from `start` on. */
  readonly onChange: (found: Backends) => unknown
}

/** Makes a discovery that has not looked yet. */
export function createDiscovery({ places = usualPlaces, everyMs, log, onChange }: DiscoveryOptions): Discovery {
  let found: Backends = {}
  const watched = new Set(places.map(place => watchPlace(place, log)))
  let closing = new AbortController()
  let looking: Promise<Backends> | undefined
  let timer: Timer | undefined
  let looks = 0

  const lookEverywhere = async () => {
    const { signal } = closing
    const finds = await Promise.all([...watched].map(async place => ({ place, find: await place(signal) })))
    for (const { place, find } of finds) {
      if (!find) continue
      watched.delete(place)
      found = { ...found, [find.name]: find.entry }
    }
    looking = undefined
    return found
  }
  const look = () => {
    looking ??= lookEverywhere()
    return looking
  }
  const again = () => {
    if (watched.size === 0) return
    timer = setTimeout(async () => {
      const before = found
      const { signal } = closing
      await look()
      if (signal.aborted) return
      if (found !== before) onChange(found)
      again()
    }, everyMs ?? pauseMs(looks++)).unref()
  }
  return {
    get found() {
      return found
    },
    look,
    start() {
      if (timer) return
      closing = new AbortController()
      again()
    },
    close() {
      closing.abort()
      clearTimeout(timer)
      timer = undefined
    },
  }
}

const pauseMs = (looks: number) => (looks < 20 ? 3_000 : 20_000)

/** What an unconfigured gatehouse waits for when nothing answers: an Ollama that is started later. */
export const expectedOllama = (): Backends => ({
  ollama: { type: 'ollama', base_url: 'http://127.0.0.1:11434', headers: {}, timeouts: {} },
})

/** The built-in echo model, for a first request with nothing else installed. */
export const echoOnly = (delayMs: number): Backends => ({ demo: { type: 'echo', delay: delayMs } })
