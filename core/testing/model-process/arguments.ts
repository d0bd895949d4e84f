/** The flags of llama-server that the stand-in looks at; it takes all others without a word. */
export interface Flags {
  readonly model: string
  readonly alias: string | undefined
  readonly host: string
  readonly port: number
  readonly contextSize: number
  readonly slots: number
  readonly unified: boolean
  readonly apiKey: string | undefined
}

/** Names as in llama.cpp's common/arg.cpp. */
const names: Readonly<Record<string, keyof Flags>> = {
  '-m': 'model',
  '--model': 'model',
  '-a': 'alias',
  '--alias': 'alias',
  '--host': 'host',
  '--port': 'port',
  '-c': 'contextSize',
  '--ctx-size': 'contextSize',
  '-np': 'slots',
  '--parallel': 'slots',
  '--api-key': 'apiKey',
}
const unifiedNames = new Set(['-kvu', '--kv-unified'])

/** Reads them; the environment counts where a flag is missing, as it does there. */
export function readFlags(args: readonly string[], env: NodeJS.ProcessEnv): Flags {
  const given = new Map<string, string>()
  for (const [index, argument] of args.entries()) {
    const name = names[argument]
    if (name) given.set(name, args[index + 1] ?? '')
  }
  return {
    model: given.get('model') ?? env.LLAMA_ARG_MODEL ?? '',
    alias: given.get('alias') ?? env.LLAMA_ARG_ALIAS,
    host: given.get('host') ?? env.LLAMA_ARG_HOST ?? '127.0.0.1',
    port: Number(given.get('port') ?? env.LLAMA_ARG_PORT ?? 8080),
    contextSize: Number(given.get('contextSize') ?? env.LLAMA_ARG_CTX_SIZE ?? 4096),
    slots: Number(given.get('slots') ?? env.LLAMA_ARG_N_PARALLEL ?? 4),
    unified: args.some(argument => unifiedNames.has(argument)) || env.LLAMA_ARG_KV_UNIFIED === '1',
    apiKey: given.get('apiKey') ?? env.LLAMA_API_KEY,
  }
}

/** An excerpt of what the real one prints, which is long. */
export const help = `----- common params -----

-h,    --help, --usage                  print usage and exit
--version                               show version and build info
-t,    --threads N                      number of CPU threads to use during generation (default: -1)
-c,    --ctx-size N                     size of the prompt context (default: 0, 0 = loaded from model)
-b,    --batch-size N                   logical maximum batch size (default: 2048)
-ngl,  --gpu-layers, --n-gpu-layers N   max. number of layers to store in VRAM
-m,    --model FNAME                    model path to load

----- example-specific params -----

-kvu,  --kv-unified, -no-kvu, --no-kv-unified
                                        use single unified KV buffer shared across all sequences
-np,   --parallel N                     number of server slots (default: -1, -1 = auto)
-a,    --alias STRING                   set model name aliases, comma-separated (to be used by API)
--host HOST                             ip address to listen (default: 127.0.0.1)
--port PORT                             port to listen (default: 8080)
--api-key KEY                           API key to use for authentication (default: none)
`
