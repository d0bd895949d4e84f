import { type Context, type Gateway, GatewayError, type MaybePromise } from 'gatehouse'
import { isWhole, mayKeep } from '../answer.ts'
import type { Answers } from '../answers.ts'
import type { Asking } from '../ask.ts'
import type { Head } from '../kept.ts'
import type { Recording } from '../memory/recording.ts'
import { repeatsFields } from '../repeats.ts'
import { createFlight, type Flight, type Opened } from './flight.ts'
import { readAlong } from './read-along.ts'

/** Runs the layers below with this context; keeps what it made itself. Left out, `next` runs and its answer is kept. */
export type Generate = (apart: Context) => MaybePromise<Response>

/** Generations that several requests share: identical ones in flight reach the upstream once. */
export interface Share {
  /** Joins the generation for this key; undefined when there is none. `again` runs when it fails for reasons of somebody else's. */
  join(asking: Asking, key: string, again: () => MaybePromise<Response>): MaybePromise<Response> | undefined
  /** Begins one that others may join. */
  lead(asking: Asking, key: string, how?: Generate): MaybePromise<Response>
  /** Begins one for this request only. */
  alone(asking: Asking, key: string, how?: Generate): MaybePromise<Response>
}

/** A generation that may be joined. */
interface Shared {
  readonly flight: Flight
  /** Who pays for it. */
  readonly principal: string
  readonly clearings: number
  /** The request it is for. */
  readonly payload: Context['payload']
  readonly wire: Uint8Array
  /** Whether it names a field twice; looked at by the first who would join. */
  repeats?: boolean
  joined: number
}

export function createShare(answers: Answers, log: Gateway['log']): Share {
  const { counts } = answers
  const flights = new Map<string, Shared>()

  const begin = ({ ctx, next, model, form }: Asking, key: string, how: Generate | undefined, register: boolean): Flight => {
    const run = ctx.detach()
    const wire = ctx.wire()
    const startedAt = performance.now()
    const { clearings } = answers
    // kept with its usage: others may want to see it, and whole answers have it
    if (form.stream && !form.usage) run.ctx.rewrite({ stream_options: { ...ctx.payload.stream_options, include_usage: true } })

    const keep = (opened: Opened, recording: Recording | undefined, head: Head) => {
      if (!mayKeep(ctx, opened) || answers.clearings !== clearings) return
      const body = recording ? recording.read(0, recording.length) : opened.body
      if (!body || !isWhole({ wire, body, operation: form.operation, events: recording !== undefined })) return
      if (recording) answers.keep(key, recording, head)
      else answers.set(key, { head, body })
    }
    const onWhole = (opened: Opened, recording: Recording | undefined) => {
      const { promptTokens, completionTokens } = run.ctx.usage
      const contentType = opened.headers.get('content-type') ?? 'application/json'
      const ignored = opened.headers.get('x-gatehouse-ignored') ?? undefined
      const tookMs = performance.now() - startedAt
      const tokens = promptTokens + completionTokens
      const joined = shared?.joined ?? 0
      counts.tokensSaved += joined * tokens
      counts.msSaved += joined * tookMs
      try {
        if (!how) keep(opened, recording, { form: recording ? 'events' : 'json', contentType, ignored, model: model.name, tokens, tookMs })
      } catch (err) {
        log.error({ err, request_id: ctx.id }, 'an answer could not be kept')
      }
    }
    let shared: Shared | undefined
    const flight = createFlight({
      run,
      start: () => (how ? how(run.ctx) : next(run.ctx)),
      record: answers.record,
      onWhole,
      onClosed: () => {
        if (flights.get(key) === shared) flights.delete(key)
      },
    })
    if (register && flight.open) {
      shared = { flight, principal: ctx.principal.id, clearings, payload: ctx.payload, wire, joined: 0 }
      flights.set(key, shared)
    }
    return flight
  }

  const find = (key: string): Shared | undefined => {
    const shared = flights.get(key)
    if (!shared?.flight.open || shared.clearings !== answers.clearings) return
    // the key knows the last of them, and the backend may believe the first: that is not an answer for others
    shared.repeats ??= repeatsFields(shared.wire)
    return shared.repeats ? undefined : shared
  }

  const follow = async ({ ctx, form }: Asking, shared: Shared, again: () => MaybePromise<Response>): Promise<Response> => {
    const own = shared.principal === ctx.principal.id
    const retract = () => {
      shared.joined--
      for (const name of ['x-cache', 'age']) ctx.headers.delete(name)
    }
    shared.joined++
    // at once: the headers may leave with a heartbeat
    ctx.headers.set('x-cache', 'HIT')
    ctx.headers.set('age', '0')
    try {
      const response = await readAlong(ctx, shared.flight.join(), form)
      if (own || !personal.has(response.status)) {
        counts.joins++
        ctx.note({ plugin: 'cache', did: 'joined' })
        return response
      }
      retract()
    } catch (error) {
      retract()
      if (ctx.signal.aborted || !((!own && isPersonal(error)) || isWording(error, shared.payload, ctx.payload))) throw error
    }
    return again()
  }

  return {
    join(asking, key, again) {
      const shared = find(key)
      return shared && follow(asking, shared, again)
    },
    lead: (asking, key, how) => readAlong(asking.ctx, begin(asking, key, how, true).join(), asking.form),
    alone: (asking, key, how) => readAlong(asking.ctx, begin(asking, key, how, false).join(), asking.form),
  }
}

/** What one caller may not do, or can no longer pay, another may. */
const personal: ReadonlySet<number> = new Set([401, 403, 429])

/** A backend that is busy is so for everybody. */
const isPersonal = (error: unknown): boolean =>
  error instanceof GatewayError && personal.has(error.status) && (error.status !== 429 || error.type === 'insufficient_quota')

/** What is wrong with fields that take no part in the key need not be wrong with this request. */
const isWording = (error: unknown, one: Context['payload'], other: Context['payload']): boolean =>
  error instanceof GatewayError && (error.status === 400 || error.status === 422) && !Bun.deepEquals(aside(one), aside(other))

const aside = ({ stream, stream_options: options, user, metadata }: Context['payload']) => {
  const { include_usage: _, ...others } = options ?? {} // a stream is always asked for with its usage
  return [user, metadata, stream === true ? others : (options ?? {})]
}
