import type { Context, Logger, MaybePromise, Next, Payload, PluginInstance } from 'gatehouse'
import { createAbilities } from './abilities.ts'
import { followHouse } from './catalogue.ts'
import { createGrants, fingerprintOf, type Grants } from './grants.ts'
import { createLimits } from './limits.ts'
import { type Offer, readOffer, withoutTools, withSeenNames } from './offer.ts'
import { createProgress } from './progress.ts'
import { findResources, type NamedResource } from './resource-uris.ts'
import { createResources } from './resources.ts'
import { createRunTool, type RunTool } from './run-tool.ts'
import { createArgumentCheck } from './schema.ts'
import type { ToolOptions, ToolSettings } from './settings.ts'
import { streamLoop } from './stream.ts'
import type { ToolHouse } from './tool-house.ts'
import { createTurns, type Extend } from './turns.ts'
import { wholeLoop } from './whole.ts'

export interface ToolLayerOptions {
  readonly house: ToolHouse
  readonly settings: ToolSettings
  readonly options: ToolOptions
  readonly log: Pick<Logger, 'warn'>
  /** Sets aside what the next turn may cost; it throws when that cannot be paid. */
  readonly extend?: Extend
}

/** The layer, and what other ways to a tool share with it. */
export interface ToolLayer extends Required<Pick<PluginInstance, 'handle' | 'fingerprint' | 'explain'>> {
  readonly grants: Grants
  readonly run: RunTool
}

/** Lets models call the tools of the house, in chats whose client need not know of it. Throws for patterns that are none. */
export function createToolLayer({ house, settings, options, log, extend = () => {} }: ToolLayerOptions): ToolLayer {
  const catalogue = followHouse(house)
  const grants = createGrants(settings)
  const abilities = createAbilities()
  const run = createRunTool(
    house,
    grants,
    createArgumentCheck(err => log.warn({ err }, 'the schema of a tool cannot be used')),
  )
  const readResources = createResources({ house, grants, settings, options })
  const limits = { ...settings, ...options }

  const loop = async (ctx: Context, next: Next, offer: Offer): Promise<Response> => {
    const leaving = new AbortController()
    let either: AbortSignal | undefined
    const turns = createTurns({ ctx, next, offer, abilities, extend })
    const streams = ctx.payload.stream === true
    const tellsProgress = streams && ctx.request.headers.get('x-gatehouse-progress') === '1'
    const first = await turns.ask()
    if (streams && (!first.ok || !first.headers.get('content-type')?.startsWith('text/event-stream'))) return first
    const calls = {
      ctx,
      get signal() {
        // made for the first call: most chats have none
        either ??= AbortSignal.any([ctx.signal, leaving.signal])
        return either
      },
      tools: offer.tools,
      run,
      refusal: (name: string) => grants.refusal(name, ctx.principal),
      limits: createLimits(limits),
      settings: limits,
      progress: tellsProgress ? createProgress() : undefined,
    }
    const loopOptions = { turns, offer, calls }
    return streams ? streamLoop(first, loopOptions, leaving) : wholeLoop(first, loopOptions)
  }
  const withResources = async (ctx: Context, next: Next, named: readonly NamedResource[], offer: Offer | undefined): Promise<Response> => {
    const message = await readResources(named, ctx)
    if (message) ctx.rewrite({ messages: [message, ...(ctx.payload.messages ?? [])] })
    if (offer) return loop(ctx, next, offer)
    if (message) await extend(ctx)
    return next()
  }

  return {
    grants,
    run,
    handle(ctx, next): MaybePromise<Response> {
      if (ctx.operation !== 'chat.completions') return next()
      const { payload } = ctx
      const granted = grants.of(catalogue(), ctx.principal)
      const reading = readOffer(ctx, granted, settings.inject)
      const messages = withSeenNames(payload.messages, granted)
      const named = findResources(payload.messages)
      let { offer, change } = reading
      if (offer && !abilities.takesTools(ctx.model?.name ?? payload.model)) {
        if (offer.client.references.length > 0) change = withoutTools(offer.client, payload)
        offer = undefined
      }
      if (change || messages !== payload.messages) ctx.rewrite({ ...change, ...(messages && { messages }) } as Partial<Payload>)
      if (named.length > 0) return withResources(ctx, next, named, offer)
      return offer ? loop(ctx, next, offer) : next()
    },
    fingerprint(ctx) {
      if (ctx.operation !== 'chat.completions') return ''
      const granted = grants.of(catalogue(), ctx.principal)
      const tools = readOffer(ctx, granted, settings.inject).offer?.tools
      return tools === granted ? granted.fingerprint : fingerprintOf(tools?.tools ?? [])
    },
    explain(ctx) {
      const granted = grants.of(catalogue(), ctx.principal)
      const tools = ctx.operation === 'chat.completions' ? readOffer(ctx, granted, settings.inject).offer?.tools.tools : undefined
      return { plugin: 'mcp-tools', did: tools ? `offers ${tools.map(({ documented }) => documented).join(', ')}` : 'nothing' }
    },
  }
}
