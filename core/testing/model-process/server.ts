import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fakeLlamaServer } from '../fake-llama-server.ts'
import { type Flags, help, readFlags } from './arguments.ts'
import { type Behaviour, decodeBehaviour } from './behaviour.ts'
import { startGrandchildren } from './grandchildren.ts'
import { createIntercept } from './intercept.ts'
import { isRunning, noteStart, startsOf } from './journal.ts'

// A stand-in for `llama-server`: takes its flags, behaves as its model file says, and answers as the fake llama-server does.
const args = process.argv.slice(2)
if (args.includes('--help')) {
  process.stdout.write(help)
  process.exit(0)
}
const flags = readFlags(args, process.env)
const behaviour = readModel(flags.model)
process.on('SIGTERM', () => behaviour.deaf || process.exit(behaviour.exitCode ?? 0))
process.on('SIGINT', () => process.exit(130))

const besides = startsOf(flags.model).flatMap(({ pid }) => (isRunning(pid) ? [pid] : []))
const grandchildren = await startGrandchildren(behaviour.grandchildren ?? [])
const environment = Object.keys(process.env).sort()
noteStart(flags.model, { pid: process.pid, port: flags.port, args, environment, grandchildren, besides })
console.log(`build: 0 (stand-in), loading model '${flags.model}'`)
for (let line = 1; line <= (behaviour.noise ?? 0); line++) {
  console.log(`llama_model_loader: tensor ${line}`)
  console.error(`load_tensors: layer ${line} assigned to device CPU`)
}
const held = Buffer.alloc(behaviour.memoryBytes ?? 0, 1)
if (behaviour.exitAtStart !== undefined) fail('error: unable to allocate the buffer', behaviour.exitAtStart)
await Bun.sleep(behaviour.listenDelayMs ?? 0)
await ask(behaviour.askBeforeListening)
await listen(behaviour)
console.log(`main: server is listening on http://${flags.host}:${flags.port} (${held.length} bytes held)`)
await Bun.sleep(behaviour.loadMs ?? 0)
if (behaviour.exitAfterLoading !== undefined) fail('error: failed to warm up the model', behaviour.exitAfterLoading)
console.log('main: model loaded')

async function listen(behaviour: Behaviour): Promise<void> {
  const fake: Awaited<ReturnType<typeof fakeLlamaServer>> = await fakeLlamaServer({
    port: flags.port,
    ...(flags.apiKey !== undefined && { apiKey: flags.apiKey }),
    models: [flags.alias ?? basename(flags.model, '.gguf')],
    props: propsOf(flags),
    // one that is about to fail never says that it is ready
    loadingMs: behaviour.exitAfterLoading === undefined ? (behaviour.loadMs ?? 0) : Number.POSITIVE_INFINITY,
    intercept: createIntercept({ behaviour, release: () => fake.release() }),
  }).catch((error: NodeJS.ErrnoException) =>
    fail(`start: couldn't bind HTTP server socket, hostname: ${flags.host}, port: ${flags.port} (${error.code})`, 1),
  )
}

/** Its own sizes; like the real one, it shares the context between its slots unless they have one for all. */
function propsOf({ model, alias, slots, contextSize, unified }: Flags) {
  return {
    default_generation_settings: { params: {}, n_ctx: unified ? contextSize : Math.floor(contextSize / slots) },
    total_slots: slots,
    model_path: model,
    ...(alias !== undefined && { model_alias: alias }),
  }
}

function readModel(path: string): Behaviour {
  try {
    return decodeBehaviour(readFileSync(path))
  } catch {
    return fail(`llama_model_load: error loading model: failed to open GGUF file ${path}`, 1)
  }
}

async function ask(url: string | undefined): Promise<void> {
  if (url === undefined) return
  const query = new URLSearchParams({ port: String(flags.port), model: flags.model, pid: String(process.pid) })
  await fetch(`${url}?${query}`)
}

function fail(message: string, code: number): never {
  console.error(message)
  process.exit(code)
}
