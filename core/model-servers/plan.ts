import { randomBytes } from 'node:crypto'
import type { Config } from '../config/schema.ts'
import type { Logger } from '../log.ts'
import { evictionPolicy } from '../processes/eviction-policy.ts'
import type { ExpectedFootprints } from '../processes/footprint-expected.ts'
import { planLaunch } from '../processes/launch/launch.ts'
import { launchPrint } from '../processes/launch/launch-print.ts'
import { checkLlamaServer } from '../processes/llama-server-check.ts'
import type { LlamaServerAbilities, Probe } from '../processes/llama-server-help.ts'
import { llamaServerModel, settingsOf } from '../processes/llama-server-settings.ts'
import type { ChoosePort, ProcessSpec } from '../processes/server-process-spec.ts'
import type { Plan } from '../processes/supervisor.ts'
import type { ServedModel } from './served-models.ts'

/** What a plan is made with; it stays the same over reloads. */
export interface PlanTools {
  readonly log: Logger
  readonly env: NodeJS.ProcessEnv
  readonly abilities: (probe: Probe) => Promise<LlamaServerAbilities>
  readonly expected: ExpectedFootprints
  readonly portsFrom: (first: number) => ChoosePort
}

/** Longer than the bound of the queues in front of the models, which come to rest in order first. */
const patienceMs = 30_000

/** What the supervisor is to do by a config. */
export function planOf(config: Config, models: readonly ServedModel[], tools: PlanTools): Plan {
  const byName = new Map(models.map(model => [model.name, model]))
  const { max_loaded_models: maxLoadedModels, memory_limit: memoryLimit, groups } = config
  return {
    models: models.map(model => specOf(config, model, tools)),
    policy: evictionPolicy({ maxLoadedModels, memoryLimit, groups }, name => ({
      pinned: byName.get(name)?.pin ?? false,
      group: byName.get(name)?.group,
      footprint: tools.expected.of(name),
    })),
    choosePort: tools.portsFrom(config.port_range_start),
    times: { healthEveryMs: config.health_check_sec * 1000, patienceMs },
  }
}

function specOf({ llama_server_path: llamaServer, timeouts }: Config, model: ServedModel, { log, env, abilities }: PlanTools): ProcessSpec {
  const { name, preload, pin, ttl, load_timeout: loadTimeout } = model
  const server = llamaServerModel(model)
  const { slots, contextSize } = server ? settingsOf(server, true) : { slots: 0, contextSize: 0 }
  const onShortcoming = (problem: string) => log.warn({ model: name }, problem)
  return {
    model: name,
    print: launchPrint(model, llamaServer),
    launch: port => planLaunch(model, { port, apiKey: randomBytes(24).toString('base64url') }, { llamaServer, env, abilities }),
    ...(server && { check: checkLlamaServer({ wanted: { slots, contextSize }, onShortcoming }) }),
    preload,
    ttlMs: pin || !Number.isFinite(ttl) ? undefined : ttl,
    loadTimeoutMs: loadTimeout ?? timeouts.load,
  }
}
