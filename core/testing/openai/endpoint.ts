import { behave } from '../behaviour/behave.ts'
import { perform } from '../behaviour/perform.ts'
import type { Asked } from '../behaviour/scenario.ts'
import type { Reply, Writer } from '../behaviour/writer.ts'
import type { Exchange } from '../server/exchange.ts'
import type { Route } from '../server/routes.ts'
import { record } from './asked.ts'

/** A parsed request body. */
export type Body = Readonly<Record<string, unknown>>

/** What one fake's endpoints have in common. */
export interface House {
  has(model: string): boolean
  badJson(text: string): Reply
  readonly chunkDelayMs: number
}

/** One endpoint that takes JSON and names a model. */
export interface Endpoint {
  /** The server's own validation; undefined when it is content. */
  check?(body: Body): Reply | undefined
  asked(body: Body): Asked
  writer(body: Body, model: string): Writer
}

/** Makes the route of an endpoint. */
export function jsonRoute(house: House, endpoint: Endpoint): Route {
  return exchange => {
    const { json, bytes } = exchange.request
    if (json === undefined) return house.badJson(bytes.toString('utf8'))
    const body = record(json)
    const refusal = endpoint.check?.(body)
    if (refusal) return refusal
    return play(exchange, house, endpoint.asked(body), endpoint.writer(body, String(body.model ?? '')))
  }
}

/** Plays what the model asked for does. */
export function play(exchange: Exchange, house: House, asked: Asked, writer: Writer): Reply | Promise<void> {
  if (!house.has(asked.model)) return writer.refuse('missing')
  const { firstTime, count } = exchange.state
  return perform(exchange, asked.model, behave(asked, { chunkDelayMs: house.chunkDelayMs, firstTime, count }), writer)
}
