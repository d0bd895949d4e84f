import type { Change } from '../../records/ledger/entry.ts'
import type { Argument } from './connection.ts'
import { lookScript, stepScript, tellScript } from './ledger-scripts.ts'
import { addChanges, noChange, type Shared, type Total } from './ledger-shared.ts'
import type { RedisLink } from './link.ts'
import type { Script } from './script.ts'

/** What this instance can say of itself. */
export interface Speaker {
  /** What the others know it by. */
  readonly name: string
  /** How long the others take it for alive after it has spoken. */
  readonly presenceMs: number
  /** What was said under its name with a lower version was said before it started. */
  readonly firstVersion: number
  /** How things stand here. */
  standing(shared: Shared): Change
  /** What others had settled when last heard of. */
  others(shared: Shared): readonly { readonly instance: string; readonly tokens: number }[]
  /** How long Redis shall keep it; undefined for ever. */
  lifeMs(shared: Shared): number | undefined
  /** Redis has told all it knows, by the names of the instances. */
  heard(shared: Shared, fields: ReadonlyMap<string, string>): void
  /** Somebody else speaks under our name. */
  nameTaken(): void
}

export interface Ask {
  readonly limit: number
  /** Where the day begins for which it is asked; undefined when it may be any. */
  readonly dayStart?: number | undefined
}

export type StepAnswer<T> =
  | { readonly came: 'granted'; readonly done: T }
  | { readonly came: 'refused'; readonly total: Total }
  /** By the clock of Redis it is another day, at this time. */
  | { readonly came: 'otherDay'; readonly at: number }

/** The conversation of one instance with Redis. */
export interface Talk {
  /**
   * Asks whether a change fits, and makes it. `apply` makes it here, in the very moment in which it is known. Rejects when
   * Redis cannot be asked; whether it has done it does then not matter, because it is told how things stand.
   */
  step<T>(shared: Shared, change: Change, ask: Ask, apply: (total: Total) => T): Promise<StepAnswer<T>>
  /** Passes on a change that has been made here, with others of the same turn of the event loop. */
  pass(shared: Shared, change: Change): void
  look(shared: Shared): Promise<Total>
  /** Says how things stand. Never rejects. */
  tell(shared: Shared): Promise<void>
  /** Sends what `pass` still keeps. */
  flush(): void
}

const [unknown, otherDay, refused] = [-1, -2, 0]
const nothing: Total = { used: 0, open: 0, ownUsed: 0, ownOpen: 0 }

/**
 * A telling overtakes all steps that are on their way, and with hundreds of them on a busy machine the first round alone takes
 * longer than `retryForMs`. Who gave up then decided alone, and overspent, while Redis was there. When it is not, sending rejects.
 */
const leastAttempts = 4

export interface TalkOptions {
  readonly link: RedisLink
  readonly speaker: Speaker
  /** With it days go by that clock, else by that of Redis. */
  readonly now?: (() => number) | undefined
  /**
   * For so long a step is sent again when Redis had lost something; then it is as if Redis could not be asked. One more
   * answer may take 400 ms. Four times it is tried in any case.
   */
  readonly retryForMs?: number | undefined
}

/** Opens it. */
export function openTalk({ link, speaker, now, retryForMs = 75 }: TalkOptions): Talk {
  const dirty = new Set<Shared>()

  const run = async (script: Script, shared: Shared, args: readonly Argument[]) => {
    shared.waiting++
    try {
      return (await link.run(script, [shared.at], args)) as readonly unknown[]
    } catch (error) {
      shared.behind = true
      throw error
    } finally {
      shared.waiting--
    }
  }
  const say = async (shared: Shared): Promise<void> => {
    const { name, presenceMs, firstVersion } = speaker
    const { used, tokens, estimate } = speaker.standing(shared)
    const others = speaker.others(shared).flatMap(({ instance, tokens: settled }) => [instance, settled])
    const version = ++shared.version
    shared.told = version
    shared.behind = false
    shared.unsent = noChange // it is in how things stand
    const args = [name, version, used, tokens, estimate, speaker.lifeMs(shared) ?? '', presenceMs, firstVersion, ...others]
    const [done, ...fields] = (await run(tellScript, shared, args)) as readonly [number, ...Buffer[]]
    if (done === 1) speaker.heard(shared, asFields(fields))
    else if (version === shared.told && name === speaker.name) speaker.nameTaken()
  }
  const tell = (shared: Shared): Promise<void> =>
    say(shared).catch(() => {
      shared.behind = true
    })

  /** What was answered is taken at once: a telling in between would not know of it. */
  const send = async <T>(shared: Shared, change: Change, ask: Ask | undefined, take: (code: number, total: Total, at: number) => T) => {
    const version = ++shared.version
    const { used, tokens, estimate } = change
    const args = [speaker.name, version, used, tokens, estimate, ask?.limit ?? '', ask?.dayStart ?? '', now?.() ?? '']
    const [code = unknown, ...numbers] = (await run(stepScript, shared, args)) as readonly number[]
    // a telling that was sent later did not know of this, and has replaced it
    if (version < shared.told) return take(unknown, nothing, 0)
    if (code < 0) shared.behind = true
    return take(code, asTotal(numbers), numbers[4] ?? 0)
  }

  const catchUp = (shared: Shared) => {
    if (shared.behind) return void tell(shared)
    const change = shared.unsent
    shared.unsent = noChange
    if (change === noChange) return
    // what is not taken is not sent again: how things stand is told, and it is in that
    send(shared, change, undefined, () => shared.behind && tell(shared)).catch(() => {})
  }
  const flush = () => {
    for (const shared of dirty) catchUp(shared)
    dirty.clear()
  }

  return {
    async step<T>(shared: Shared, change: Change, ask: Ask, apply: (total: Total) => T): Promise<StepAnswer<T>> {
      const take = (code: number, total: Total, at: number): StepAnswer<T> | undefined => {
        if (code === unknown) return undefined
        if (code === otherDay) return { came: 'otherDay', at }
        return code === refused ? { came: 'refused', total } : { came: 'granted', done: apply(total) }
      }
      const from = performance.now()
      shared.waiting++
      try {
        for (let attempt = 1; attempt <= leastAttempts || performance.now() - from < retryForMs; attempt++) {
          catchUp(shared) // carried out before what follows
          const answer = await send(shared, change, ask, take)
          if (answer) return answer
        }
      } finally {
        shared.waiting--
      }
      throw new Error('Redis forgets what it is told')
    },
    pass(shared, change) {
      if (dirty.size === 0) setImmediate(flush)
      dirty.add(shared)
      shared.unsent = addChanges(shared.unsent, change)
    },
    async look(shared) {
      const [, ...numbers] = (await run(lookScript, shared, [speaker.name])) as readonly number[]
      return asTotal(numbers)
    },
    tell,
    flush,
  }
}

const asTotal = ([used = 0, open = 0, ownUsed = 0, ownOpen = 0]: readonly number[]): Total => ({ used, open, ownUsed, ownOpen })

function asFields(parts: readonly Buffer[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (let at = 0; at + 1 < parts.length; at += 2) fields.set(String(parts[at]), String(parts[at + 1]))
  return fields
}
