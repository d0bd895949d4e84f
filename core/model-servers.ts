import { join, resolve } from 'node:path'
import type { Config } from './config/schema.ts'
import type { Logger } from './log.ts'
import { type PlanTools, planOf } from './model-servers/plan.ts'
import { type Places, placesOf, runsItself, type ServedModel, servedModels } from './model-servers/served-models.ts'
import { safeEnvironment } from './processes/environment.ts'
import { findCommand } from './processes/find-command.ts'
import { expectedFootprints } from './processes/footprint-expected.ts'
import { learnedFootprints } from './processes/footprint-learned.ts'
import { cachedGguf } from './processes/gguf-cached.ts'
import { type ModelsFolder, watchModels } from './processes/gguf-watch.ts'
import { portChooser } from './processes/launch/choose-port.ts'
import { llamaServerEnvironment } from './processes/llama-server.ts'
import { abilitiesOf } from './processes/llama-server-help.ts'
import { createSupervisor, type Supervisor } from './processes/supervisor.ts'

export type { Places, ServedModel } from './model-servers/served-models.ts'

/** The models that gatehouse runs itself: of the config, and of its folder of models. They outlive a reload. */
export interface ModelServers {
  readonly supervisor: Supervisor
  /** Every one of them, as of now. */
  models(): readonly ServedModel[]
  find(model: string): ServedModel | undefined
  /** Requests it takes at a time; undefined when there is no such model. */
  placesOf(model: string): Places | undefined
  /** Looks at the files a config names. What it resolves with puts that config in force. */
  prepare(config: Config): Promise<() => void>
  /** Ends all processes; within the grace time, and a moment. */
  close(graceMs: number): Promise<void>
}

export interface ModelServersOptions {
  readonly config: Config
  readonly log: Logger
  readonly env: NodeJS.ProcessEnv
  /** The command that starts the shim of a process; by default it is ourselves. */
  readonly runner?: readonly string[] | undefined
}

/** Ends what an earlier gatehouse has left behind, and starts what the config wants to be loaded from the beginning. */
export async function openModelServers({ config: first, log, env, runner }: ModelServersOptions): Promise<ModelServers> {
  const folder = first.data_dir
  const read = cachedGguf()
  const abilities = abilitiesOf()
  const onError = (err: unknown) => log.warn({ err }, 'What model processes need of memory could not be written down')
  let config = first
  const knowsUnified = () => asksUnified(config, env, abilities)
  const expected = expectedFootprints({ learned: learnedFootprints(join(folder, 'footprints.json'), onError), read, knowsUnified })
  const tools: PlanTools = { log, env, abilities, expected, portsFrom: choosePorts() }

  let watched: { readonly path: string; readonly folder: ModelsFolder } | undefined
  let models: ReadonlyMap<string, ServedModel> = new Map()
  let places: ReadonlyMap<string, Places> = new Map()
  let supervisor: Supervisor | undefined
  const watch = (path: string) => ({
    path,
    folder: watchModels(path, {
      read,
      onChange: ({ problems }) => {
        for (const problem of problems) log.warn(`models_dir: ${problem}`)
        if (watched?.path === path) apply()
      },
    }),
  })
  /** One look at files after the other: what is looked at last counts. */
  let looking: Promise<unknown> = Promise.resolve()
  const look = (served: readonly ServedModel[]) => {
    const work = async () => {
      for (const problem of await expected.look(served)) log.warn(problem)
      const unified = served.some(({ model_path }) => model_path !== undefined) && (await knowsUnified())
      places = placesOfAll(served, unified)
    }
    const done = looking.then(work).catch(err => log.error({ err }, 'What models need of memory could not be found out'))
    looking = done
    return done
  }
  const listed = () => servedModels(config.models, watched?.folder.content().models ?? [])
  const inForce = (served: readonly ServedModel[]) => {
    models = new Map(served.map(model => [model.name, model]))
    places = placesOfAll(served, false)
    return planOf(config, served, tools)
  }
  const apply = () => {
    const served = listed()
    const plan = inForce(served)
    supervisor?.configure(plan)
    look(served).then(() => supervisor?.look())
  }

  const prepare = async (next: Config) => {
    const path = next.models_dir
    const nextWatch = path === undefined ? undefined : path === watched?.path ? watched : watch(path)
    await nextWatch?.folder.ready
    return () => {
      if (watched !== nextWatch) watched?.folder.close()
      watched = nextWatch
      config = next
    }
  }
  const settle = await prepare(first)
  settle()
  const served = listed()
  const looked = look(served)
  // a llama-server with a GPU takes seconds to say what it knows; nobody waits for that who has set no limit
  if (first.memory_limit !== undefined) await looked
  const running = createSupervisor({
    plan: inForce(listed()),
    runFolder: join(folder, 'run'),
    log,
    runner,
    learn: (model, { main, gpu }) => expected.learn(model, main + gpu),
  })

  supervisor = running

  return {
    supervisor: running,
    models: () => [...models.values()],
    find: model => models.get(model),
    placesOf: name => places.get(name),
    async prepare(next) {
      const settle = await prepare(next)
      return () => {
        settle()
        apply()
      }
    },
    async close(graceMs) {
      watched?.folder.close()
      await running.close(graceMs)
    },
  }
}

const placesOfAll = (models: readonly ServedModel[], unified: boolean): ReadonlyMap<string, Places> =>
  new Map(models.map(model => [model.name, placesOf(model, unified)]))

/** Ports go on where they were as long as the config begins at the same one. */
function choosePorts(): PlanTools['portsFrom'] {
  let from: number | undefined
  let choose = portChooser(0)
  return first => {
    if (first !== from) choose = portChooser(first)
    from = first
    return choose
  }
}

/** Whether the llama-server of a config lets slots share one cache; without one it does not matter yet. */
async function asksUnified({ llama_server_path: path }: Config, env: NodeJS.ProcessEnv, abilities: ReturnType<typeof abilitiesOf>) {
  const own = safeEnvironment(env)
  try {
    const command = resolve(findCommand(path ?? 'llama-server', { env: own }))
    return (await abilities({ command, env: llamaServerEnvironment(command, own, { apiKey: '' }) })).unifiedCache
  } catch {
    return false
  }
}

/** True when a config has anything that gatehouse would have to run. */
export const wantsProcesses = ({ models, models_dir: folder }: Pick<Config, 'models' | 'models_dir'>): boolean =>
  folder !== undefined || models.some(runsItself)
