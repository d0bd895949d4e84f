import type { Context, Detached } from './context.ts'
import { type Outcome, type StreamObserver, tellObservers } from './http/observe.ts'
import type { SettledListener } from './open-context.ts'
import type { Payload } from './openai.ts'

/** A run of the layers below a plugin, with an end of its own. See `Context.detach`. */
export function detach(ctx: Context, log: Context['log']): Detached {
  const abort = new AbortController()
  const listeners: SettledListener[] = []
  let observers: readonly StreamObserver[] = []
  let settled: Outcome | undefined
  let changed: Payload | undefined // what is rewritten below does not show above: the request may be run again
  const onThrow = (err: unknown) => log.error({ err, request_id: ctx.id }, 'stream observer failed')

  const own: Partial<Context> = {
    // all else is that of the request. As a literal it is made in a fifth of the time that Object.create takes
    __proto__: ctx,
    signal: abort.signal,
    observe(observer: StreamObserver) {
      const outcome = settled
      if (outcome) tellObservers([observer], one => one.end?.(outcome), onThrow)
      else observers = [...observers, observer]
    },
    // the run may have been ended while a layer was waiting for what it gives back here
    onSettled(listener: SettledListener) {
      if (settled) tellSettled([listener], settled, ctx)
      else listeners.push(listener)
    },
    get payload() {
      return changed ?? ctx.payload
    },
    rewrite(change: Partial<Payload>) {
      changed = { ...run.payload, ...change }
    },
    detach: () => detach(run, log),
    wire: () => (changed ? ctx.wireOf(changed) : ctx.wire()),
    get phase() {
      return ctx.phase
    },
    set phase(phase) {
      if (!settled && ctx.phase !== 'settled') ctx.phase = phase
    },
    get progress() {
      return ctx.progress
    },
    set progress(progress) {
      if (!settled) ctx.progress = progress
    },
  } as Partial<Context>
  const run = own as Context

  return {
    ctx: run,
    abort: reason => abort.abort(reason),
    chunk(bytes) {
      if (observers.length > 0) observers = tellObservers(observers, observer => observer.chunk?.(bytes), onThrow)
    },
    settle(outcome) {
      if (settled) return
      settled = outcome
      tellObservers(observers, observer => observer.end?.(outcome), onThrow)
      tellSettled(listeners, outcome, ctx)
    },
  }
}

/** Runs the listeners of what has ended; one that fails is logged, with a logger that is only made then, and hurts nobody. */
export function tellSettled(listeners: readonly SettledListener[], outcome: Outcome, ctx: Pick<Context, 'log'>): void {
  for (const listener of listeners) {
    try {
      const done = listener(outcome)
      if (done instanceof Promise) done.catch(err => ctx.log.error({ err }, 'settled listener failed'))
    } catch (err) {
      ctx.log.error({ err }, 'settled listener failed')
    }
  }
}
