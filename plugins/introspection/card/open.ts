import { type Context, type Gateway, type PluginInstance, type Principal, version } from 'gatehouse'
import { goName } from '../hardware/go-names.ts'
import type { Hardware } from '../hardware/hardware.ts'
import type { Probe } from '../hardware/probe.ts'
import type { Memory } from '../memory/memory.ts'
import { userOf } from '../users.ts'
import { createCard } from './card.ts'
import { createKnownModels } from './known-models.ts'
import { type CardFacts, writeCard } from './write.ts'

/** Where the card's facts come from. */
export interface CardSources {
  readonly gateway: Pick<Gateway, 'config' | 'models'>
  readonly probe: Probe
  readonly hardware: Pick<Hardware, 'memory'>
  readonly memory: Memory | undefined
}

/** How long a list of models may take; nobody waits for it. */
const listingMs = 3000

const anybody: Principal = { id: 'open', kind: 'open' }

/** The layer that puts the system card in front of chats. No layer at all unless the config asks for the card. */
export function openCard({ gateway, probe, hardware, memory }: CardSources): Pick<PluginInstance, 'handle' | 'fingerprint' | 'explain'> {
  const { introspection, mcp } = gateway.config
  if (!introspection.enabled || !introspection.chat_inject_enabled) return {}
  const known = createKnownModels(
    async principal => (await gateway.models.list(principal, AbortSignal.timeout(listingMs))).map(({ id }) => id),
    probe.now,
  )
  const withModels = introspection.chat_inject_include_models
  if (withModels) known.names(anybody) // so that the first chat finds a list
  const info = { version, mcp: mcp.enabled, memory: memory !== undefined }
  let host: Promise<CardFacts['host']> | undefined
  const describeHost = () => {
    host ??= hardware.memory().then(({ totalBytes }) => ({
      os: goName(probe.platform),
      arch: goName(probe.arch),
      cores: probe.cpus().cores,
      memoryBytes: totalBytes,
    }))
    return host
  }

  const pinnedOf = async (ctx: Context) => {
    const user = userOf(ctx)
    return user === undefined ? undefined : (await memory?.users.read(user))?.pinned
  }

  const write = async (ctx: Context) => {
    const models = withModels ? known.names(ctx.principal) : undefined
    const [host, pinned] = await Promise.all([
      introspection.chat_inject_include_hardware && introspection.hardware_enabled ? describeHost() : undefined,
      pinnedOf(ctx),
    ])
    return writeCard({
      ...(introspection.chat_inject_include_llamagate_info && { info }),
      ...(host && { host }),
      ...(models && { models }),
      ...(pinned && { pinned }),
    })
  }
  const card = createCard(ctx =>
    write(ctx).catch(err => {
      ctx.log.warn({ err }, 'the system card could not be written')
      return '' // no reason to refuse a chat
    }),
  )

  return {
    fingerprint: card.text,
    handle: (ctx, next) => (card.isFor(ctx) ? card.add(ctx).then(next) : next()),
    async explain(ctx) {
      const { length } = [...(await card.text(ctx))]
      return { plugin: 'introspection', did: length === 0 ? 'adds nothing' : `adds a system card of ${length} characters` }
    },
  }
}
