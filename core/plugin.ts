import type { Context } from './context.ts'
import type { Gateway } from './gateway.ts'
import type { Schema } from './schema.ts'

/** A value now or later; memory answers at once, Redis does not. */
export type MaybePromise<T> = T | Promise<T>

/**
 * Runs the rest of the pipeline. May be called never (answer now), once, or again (tool rounds); with `run.ctx` of a
 * `ctx.detach()`, apart from this request.
 */
export interface Next {
  (): MaybePromise<Response>
  (apart: Context): MaybePromise<Response>
}

/** One layer of the onion: look at the request, call `next`, look at the response. */
export type Handler = (ctx: Context, next: Next) => MaybePromise<Response>

/** A line for `explain`, the request log and the panel: who decided what, and why. */
export interface Decision {
  readonly plugin: string
  readonly did: string
  readonly why?: string
}

/** What `setup` hands back: the live plugin. Every part is optional. */
export interface PluginInstance {
  /** The layer this plugin adds to the pipeline. Leave out for plugins that only add a backend or a route. */
  handle?: Handler
  /**
   * What this layer would add to the request below the cache (tools granted, system card, route revision).
   * Part of the cache key.
   */
  fingerprint?(ctx: Context): MaybePromise<string>
  /** What this layer would do with the request, without doing it. */
  explain?(ctx: Context): MaybePromise<Decision>
  /** Releases what `setup` opened. Called in reverse order, after in-flight requests have drained. */
  close?(): MaybePromise<void>
}

/**
 * A plugin, built in or written by a user; both are loaded the same way and may do the same things.
 * Life: options are checked against `options` → `setup` once → `handle` per request → `close` once.
 * Order is the order of the `pipeline` list in the config file, and nothing else.
 */
export interface Plugin<Options = unknown> {
  /** Unique and kebab-case. Also the key of this plugin's options in the config file. */
  readonly name: string
  /**
   * `operations` (the default): the layer runs for calls to a model, with the body read.
   * `everything`: it also guards routes beside the model API and unknown paths, and runs before any
   * body is read, so `ctx.payload` is empty in it.
   */
  readonly guards?: 'operations' | 'everything'
  /** Any Standard Schema (valibot, zod, …). Without one, the options object is passed on unchecked. */
  readonly options?: Schema<Options>
  /** Opens connections, adds routes, returns the live plugin. A throw here stops the start-up. */
  setup(options: Options, gateway: Gateway): MaybePromise<PluginInstance>
}

/** Keeps type inference for plugin authors; returns its argument untouched. */
export const definePlugin = <Options>(plugin: Plugin<Options>): Plugin<Options> => plugin
