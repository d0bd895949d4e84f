import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { GatewayError } from '../../errors.ts'
import { seededRandom } from '../../testing/random.ts'
import { listProcesses, statOf } from '../process-list.ts'
import type { ProcessSpec } from '../server-process-spec.ts'
import { createSupervisor } from '../supervisor.ts'
import { isAlive, runner } from './alive.ts'
import { atMost } from './policy.ts'
import { anyPort, keptLog, openFolders, shortTimes, specOf, testKey, until } from './server.ts'
import type { TestServer } from './servers.ts'

/** What came of a walk. */
export interface WalkReport {
  readonly requests: number
  readonly answered: number
  readonly aborted: number
  /** The others, by what their callers were told. */
  readonly failed: Readonly<Record<string, number>>
  /** Each must be empty. */
  readonly wrongAnswers: readonly string[]
  readonly stuck: readonly string[]
  readonly doubleStarts: readonly string[]
  readonly overCap: readonly string[]
  readonly orphans: readonly number[]
  readonly notAnsweredInTheEnd: readonly string[]
  /** Those that came to be ready. */
  readonly starts: number
  readonly kills: number
}

const models = ['m0', 'm1', 'm2', 'm3', 'm4', 'm5']
const allowed = 2
/** A request that has no end by then is stuck. */
const stuckMs = 30_000
/** A start that was frozen must be over before that. */
const loadTimeoutMs = 5_000

export interface Walk {
  readonly seed: number
  readonly steps: number
  /** A real server instead of the stand-in. */
  readonly real?: TestServer | undefined
}

/**
 * Random steps with six models, of which two may run: requests, aborts, crashes, hangs, unloads, changes of the config, and
 * SIGKILL for children, shims and grandchildren. All children are real.
 */
export async function walk({ seed, steps, real }: Walk): Promise<WalkReport> {
  using folders = openFolders()
  const { stand, runFolder } = folders
  const random = seededRandom(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const oneOf = <T>(items: readonly T[]): T => items[below(items.length)] as T
  let version = 0
  const spec = (model: string, print: string): ProcessSpec => {
    if (real) return { ...real.spec(stand, model, linkTo(stand.folder, model)), print, loadTimeoutMs }
    const kin = random() < 0.3 && { grandchildren: [oneOf(['plain', 'own-session', 'deaf'] as const)] }
    return specOf(stand, model, { loadMs: below(40), ...kin }, { print, loadTimeoutMs })
  }
  let specs = models.map(model => spec(model, '0'))
  const planOf = () => ({
    models: specs,
    policy: atMost(allowed),
    choosePort: anyPort,
    times: {
      ...shortTimes,
      ...{ healthEveryMs: 100, healthTimeoutMs: 200, healthFailures: 2, graceMs: 300, orphanGraceMs: 200, patienceMs: 300 },
      ...{ restarts: { most: 1_000, windowMs: 60_000, firstMs: 5, longestMs: 20 }, measureEveryMs: 200 },
    },
  })
  const kept = keptLog()
  const supervisor = createSupervisor({
    plan: planOf(),
    runFolder,
    runner: runner.runner,
    log: kept.log,
    askGpus: async () => new Map(),
  })

  const found = { wrongAnswers: [] as string[], stuck: [] as string[], overCap: new Set<string>(), doubleStarts: new Set<string>() }
  const count = { requests: 0, answered: 0, aborted: 0, kills: 0 }
  const reasons = new Map<string, number>()
  const frozen = new Set<number>()
  const open = new Map<AbortController, Promise<void>>()
  const onTheirWay = () => {
    const all = supervisor.list().flatMap(({ state, pid }) => (state === 'starting' || state === 'stopping' ? [pid ?? undefined] : []))
    return all.length > 0 ? all : [undefined]
  }
  const runningPids = () => models.flatMap(model => supervisor.get(model)?.snapshot().pid ?? [])

  /** The real one does not play by names of models: there it is the length that keeps it busy. */
  const behaviours: readonly (string | number)[] = real ? [8, 8, 60, 400] : ['echo', 'echo', 'burst:5:10', 'silent:30']
  const request = (model: string) => {
    const number = ++count.requests
    const leaver = new AbortController()
    const begun = performance.now()
    const done = ask(model, oneOf(behaviours), leaver.signal)
      .then(
        () => void count.answered++,
        (error: unknown) => {
          if (leaver.signal.aborted) count.aborted++
          else reasons.set(reasonOf(error), (reasons.get(reasonOf(error)) ?? 0) + 1)
        },
      )
      .finally(() => {
        open.delete(leaver)
        if (performance.now() - begun > stuckMs) found.stuck.push(`request ${number} to ${model}`)
      })
    open.set(leaver, done)
  }
  const ask = async (model: string, behaviour: string | number, signal: AbortSignal) => {
    using lease = await supervisor.use(model, signal)
    const response = await fetch(`${lease.baseUrl}/v1/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ prompt: model, ...(typeof behaviour === 'number' ? { max_tokens: behaviour } : { model: behaviour }) }),
      signal: AbortSignal.any([signal, lease.gone]),
    })
    const answer = (await response.json()) as { model?: string }
    if (!response.ok) throw new Error(String(response.status))
    if (answer.model !== model) found.wrongAnswers.push(`${model} was answered by ${answer.model}`)
  }
  const tell = async (model: string, what: string) => {
    const port = supervisor.get(model)?.snapshot().port
    if (port !== undefined)
      await fetch(`http://127.0.0.1:${port}/stand-in/${what}`, { method: 'POST', signal: AbortSignal.timeout(200) }).catch(() => undefined)
  }
  const kill = (pid: number | undefined) => {
    if (pid === undefined || pid <= 1 || !isAlive(pid)) return
    count.kills++
    process.kill(pid, 'SIGKILL')
  }
  const shimOf = (pid: number | undefined) => (pid === undefined ? undefined : Number(statOf(pid)?.[1]))
  const hang = (model: string) => {
    const { pid } = supervisor.get(model)?.snapshot() ?? {}
    if (!real && random() < 0.5) return tell(model, 'hang')
    freeze(pid)
  }
  const freeze = (pid: number | undefined) => {
    if (pid === undefined || !isAlive(pid)) return
    frozen.add(pid)
    process.kill(pid, 'SIGSTOP')
  }

  const stepOf: readonly (readonly [number, () => unknown])[] = [
    [50, () => request(oneOf(models))],
    [12, () => oneOf([...open.keys(), undefined])?.abort(new Error('gone home'))],
    [4, () => tell(oneOf(models), 'crash')],
    [2, () => hang(oneOf(models))],
    [2, () => freeze(oneOf(onTheirWay()))],
    [6, () => kill(oneOf([...runningPids(), undefined]))],
    [3, () => kill(shimOf(oneOf([...runningPids(), undefined])))],
    [3, () => kill(oneOf([...stand.starts(oneOf(models)).flatMap(({ grandchildren }) => grandchildren), undefined]))],
    [5, () => void supervisor.unload(oneOf(models))],
    [3, () => void supervisor.unload(oneOf(models), { force: true })],
    [1, () => void supervisor.unloadAll()],
    [
      3,
      () => {
        const changed = oneOf(models)
        specs = specs.map(one => (one.model === changed ? spec(changed, String(++version)) : one))
        supervisor.configure(planOf())
      },
    ],
    [30, () => Bun.sleep(below(120))],
  ]
  const total = stepOf.reduce((sum, [weight]) => sum + weight, 0)
  const chooseBy = (at: number) => {
    let passed = 0
    const found = stepOf.find(([weight]) => {
      passed += weight
      return at < passed
    })
    return found?.[1] ?? (() => undefined)
  }
  const checkLiving = () => {
    const living = livingServers(stand.folder)
    if (living.size > allowed) found.overCap.add([...living.keys()].join(' '))
    for (const [model, pids] of living) if (pids.length > 1) found.doubleStarts.add(`${model}: ${pids.join(' besides ')}`)
  }

  for (let step = 0; step < steps; step++) {
    await chooseBy(random() * total)()
    checkLiving()
  }
  const watch = setInterval(checkLiving, 50)
  await Promise.race([Promise.all(open.values()), Bun.sleep(stuckMs)])
  clearInterval(watch)
  if (open.size > 0) {
    // what they wait for is the first that one wants to know; T is a process that a step has frozen
    const rows = supervisor.list().map(row => ({ ...row, process: row.pid === null ? null : statOf(row.pid)?.[0] }))
    found.stuck.push(`${open.size} requests at the end: ${JSON.stringify([rows, kept.lines.slice(-12)])}`)
  }
  for (const leaver of open.keys()) leaver.abort()

  // and all is as it should be, as soon as the last of what hangs was noticed
  await Bun.sleep(1_000)
  await until(() => ![...frozen].some(isAlive), 'the end of those that a step has frozen')
  const notAnsweredInTheEnd: string[] = []
  for (const model of models) {
    await until(() => {
      const { state, failure } = supervisor.get(model)?.snapshot() ?? {}
      return state !== 'starting' && (state !== 'failed' || Date.now() > (failure?.retryAt ?? 0))
    }, `the end of what ${model} is about`)
    const { state, pid } = supervisor.get(model)?.snapshot() ?? {}
    await ask(model, behaviours[0] ?? 8, AbortSignal.timeout(stuckMs)).catch((error: unknown) =>
      notAnsweredInTheEnd.push(
        `${model}, ${state} before${pid !== undefined && frozen.has(pid) ? ', frozen' : ''}: ${error}, ${JSON.stringify(supervisor.get(model)?.snapshot().failure)}`,
      ),
    )
    checkLiving()
  }
  await supervisor.close(300)
  const starts = models.flatMap(stand.starts)
  const pids = [...starts.flatMap(({ pid, grandchildren }) => [pid, ...grandchildren])]
  return {
    ...count,
    failed: Object.fromEntries(reasons),
    wrongAnswers: found.wrongAnswers,
    stuck: found.stuck,
    overCap: [...found.overCap],
    doubleStarts: [...found.doubleStarts, ...starts.flatMap(({ pid, besides }) => besides.map(other => `${pid} besides ${other}`))],
    orphans: [...pids.filter(isAlive), ...[...livingServers(stand.folder).values()].flat()],
    notAnsweredInTheEnd,
    starts: kept.lines.filter(({ message }) => message === 'Model process is ready').length,
  }
}

const reasonOf = (error: unknown) =>
  error instanceof GatewayError ? error.message.replace(/m\d/, '…') : String((error as { code?: unknown }).code ?? error)

/** The model file under a name of its own, by which its server is known. */
function linkTo(folder: string, model: string): string {
  const path = join(folder, `${model}.gguf`)
  if (!existsSync(path)) symlinkSync(process.env.GGUF_PATH ?? '', path)
  return path
}

/**
 * The pids of all that serve a model of this folder, by the model's file. Shims have the same words in their command, and so has
 * for a moment what a server is about to start.
 */
function livingServers(folder: string): Map<string, number[]> {
  const found = new Map<string, number[]>()
  const modelOf = (pid: number) => {
    const words = commandOf(pid)
    return words.includes('__runner') ? undefined : words.find(word => word.startsWith(`${folder}/`) && word.endsWith('.gguf'))
  }
  for (const { pid, parent, living } of listProcesses()) {
    const model = living ? modelOf(pid) : undefined
    if (model && modelOf(parent) !== model) found.set(model, [...(found.get(model) ?? []), pid])
  }
  return found
}

function commandOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}
