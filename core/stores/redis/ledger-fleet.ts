import type { Logger } from '../../log.ts'
import { openFleet, type Sighting } from '../../records/ledger/fleet.ts'
import type { Local } from '../../records/ledger/local.ts'
import { dayOf, resetOf, type Window, windowOf } from '../../records/ledger/periods.ts'
import type { Period } from '../../records/ledger.ts'
import type { Database } from '../../sqlite.ts'
import { createSharedWindows, type Shared } from './ledger-shared.ts'
import { openTalk, type Speaker, type Talk } from './ledger-talk.ts'
import type { RedisLink } from './link.ts'
import { keepPresence } from './presence.ts'

export interface FleetOptions {
  readonly database: Database
  readonly log: Logger
  readonly link: RedisLink
  readonly local: Local
  /** Days go by this. */
  readonly clock: () => number
  readonly now?: () => number
  readonly beatMs?: number
  readonly lastsMs?: number
  readonly retryForMs?: number
}

/** This instance among the others. */
export interface FleetMember {
  readonly talk: Talk
  shared(keyId: number, window: Window): Shared
  /** The same, for a window in which something changes. */
  used(keyId: number, window: Window): Shared
  /** Gives no sign of life any more. */
  leave(): void
}

const periods: readonly Period[] = ['total', 'month', 'day']
/** Windows that nobody limits are told so many beats apart, and what others say is kept then. */
const beatsBetweenTellings = 5
/** Keys that are told at once, when all are. */
const keysAtOnce = 100
/** Redis keeps a window for so long after its end, because of requests that began in it. */
const keptMs = 3 * 86_400_000
/** One start uses fewer versions; 65,000 starts stay exact. */
const versionsPerStart = 2 ** 36

/** Says and hears what must be known of all, apart from the requests. */
export function joinFleet(options: FleetOptions): FleetMember {
  const { database, log, link, local, clock, now, beatMs = 1000, lastsMs = 30_000, retryForMs } = options
  const { book, journal } = local
  const today = () => dayOf(clock())
  const fleet = openFleet(database, today())
  const firstVersion = fleet.starts * versionsPerStart
  const windows = createSharedWindows(firstVersion)
  const everUsed = new Set<number>()
  const usedKeys = new Set<number>() // since all their windows were told
  const heard: Sighting[] = []
  let beats = 0
  let lost = false // Redis may have forgotten any window
  let telling = false
  let left = false

  const nameTaken = () => {
    if (left) return
    try {
      journal.flush()
      fleet.rename(today())
    } catch (err) {
      return log.debug({ err }, 'the new name could not be written; it is tried again')
    }
    log.warn('another instance uses a copy of this data folder; this one goes on in the shared ledger under a new name')
    book.forget()
    forgotten()
    presence.rename(fleet.name)
  }
  const speaker: Speaker = {
    get name() {
      return fleet.name
    },
    presenceMs: lastsMs,
    firstVersion,
    standing: ({ keyId, window }) => ({ used: journal.spent(keyId, window), ...book.reserved(keyId, window) }),
    others: ({ keyId, window }) => fleet.others(keyId, window),
    lifeMs({ window }) {
      const resetAt = resetOf(window)
      return resetAt === null ? undefined : Math.ceil(Math.max(0, resetAt - clock()) + keptMs)
    },
    heard({ keyId, window }, fields) {
      for (const [instance, text] of fields) {
        const tokens = Number(text.split(' ')[1])
        if (instance !== 'sum' && instance !== fleet.name && tokens > 0) heard.push({ keyId, window, instance, tokens })
      }
    },
    nameTaken,
  }
  const talk = openTalk({ link, speaker, now, retryForMs })

  const forgotten = () => {
    lost = true
    for (const shared of windows) shared.behind = true
  }
  const windowsOf = (keyId: number) => periods.map(period => windows.of(keyId, windowOf(period, today())))
  const isEmpty = (shared: Shared) => {
    const { keyId, window } = shared
    return journal.spent(keyId, window) === 0 && book.reserved(keyId, window).tokens === 0 && fleet.others(keyId, window).length === 0
  }
  /** A window of which Redis never heard from us may be of no interest. */
  const mustTell = (shared: Shared) => shared.behind && (shared.told > 0 || !isEmpty(shared))
  /** False when Redis was lost before it was done. */
  const tellKeys = async (keys: readonly number[], which: (shared: Shared) => boolean) => {
    for (let at = 0; at < keys.length && link.state === 'up' && !left; at += keysAtOnce) {
      const some = keys.slice(at, at + keysAtOnce).flatMap(windowsOf)
      await Promise.all(some.filter(which).map(talk.tell))
    }
    return link.state === 'up'
  }
  const tellAll = async () => {
    lost = false
    // an older snapshot may have something open of every key that was ever used, also where nothing is any more
    const all = await tellKeys([...everUsed], () => true)
    const rest = fleet.keys().filter(keyId => !everUsed.has(keyId))
    if (!all || !(await tellKeys(rest, mustTell))) lost = true
  }
  const tellUsed = async () => {
    const keys = [...usedKeys]
    usedKeys.clear()
    if (!(await tellKeys(keys, () => true))) for (const keyId of keys) usedKeys.add(keyId)
    windows.prune(shared => usedKeys.has(shared.keyId) || book.reserved(shared.keyId, shared.window).tokens > 0 || mustTell(shared))
  }
  const catchUp = async () => {
    beats++
    if (lost) await tellAll()
    for (const shared of windows) if (mustTell(shared)) void talk.tell(shared)
    if (beats % beatsBetweenTellings === 0) await tellUsed()
    fleet.remember(heard.splice(0))
  }
  const onBeat = (kept: boolean) => {
    if (!kept) forgotten()
    if (telling || left) return
    telling = true
    catchUp()
      .catch(err => log.debug({ err }, 'the shared ledger could not be brought up to date; it is tried again'))
      .finally(() => {
        telling = false
      })
  }
  const presence = keepPresence(fleet.name, { link, since: firstVersion, onBeat, everyMs: beatMs, lastsMs })

  return {
    talk,
    shared: windows.of,
    used(keyId, window) {
      everUsed.add(keyId)
      usedKeys.add(keyId)
      return windows.of(keyId, window)
    },
    leave() {
      left = true
      presence.stop()
      talk.flush()
    },
  }
}
