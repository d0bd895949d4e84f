import type { Logger } from '../log.ts'
import type { Child, ChildExit, spawnChild } from '../processes/spawn-child.ts'
import { secretsInUrl } from '../secrets/values.ts'
import { hideAll, looksSecret } from '../secrets.ts'
import { within } from '../within.ts'
import { ollamaEnvironment } from './environment.ts'

/** An `ollama serve` to be. */
export interface OllamaStart {
  /** The file to run. */
  readonly command: string
  /** Where it has to listen. */
  readonly address: string
  /** True once it answers. */
  readonly answers: () => Promise<boolean>
  readonly log: Logger
  readonly env: NodeJS.ProcessEnv
  readonly spawn: typeof spawnChild
  readonly times: { readonly pollMs: number; readonly readyMs: number; readonly graceMs: number }
  /** Resolves when it is not wanted any more. */
  readonly unwanted: Promise<unknown>
}

/** Runs `ollama serve` until it answers. When it does not, it is ended and the log says why; then there is no child. */
export async function startOllama({
  command,
  address,
  answers,
  log,
  env,
  spawn,
  times,
  unwanted,
}: OllamaStart): Promise<Child | undefined> {
  const own = ollamaEnvironment(env, address)
  const hide = hideAll(secretsIn(own))
  let said = ''
  const child = await spawn({
    command,
    args: ['serve'],
    env: own,
    graceMs: times.graceMs,
    onOutput(line) {
      said = line
      if (log.isLevelEnabled('debug')) log.debug({ from: 'ollama' }, hide(line))
    },
  })
  let exit: ChildExit | undefined
  let wanted = true
  const over = Promise.race([
    child.exited.then(how => {
      exit = how
    }),
    unwanted.then(() => {
      wanted = false
    }),
  ])
  for (const deadline = performance.now() + times.readyMs; performance.now() < deadline; ) {
    if (await answers()) return child
    if (await within(times.pollMs, over)) break
  }
  const why = { pid: child.pid, ...exit, ...(said && { said: hide(said) }) } // it begins with all of its settings, proxies with passwords too
  if (exit) log.warn(why, 'Ollama was started, and ended before it answered')
  else if (wanted) log.warn(why, `Ollama was started, but did not answer within ${times.readyMs / 1000} s; it is ended`)
  await child.stop(times.graceMs)
  return undefined
}

const secretsIn = (env: Readonly<Record<string, string>>): string[] =>
  Object.entries(env)
    .flatMap(([name, value]) => [...(looksSecret(name, value) ? [value] : []), ...secretsInUrl(value)])
    .filter(({ length }) => length > 3)
