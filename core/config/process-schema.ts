import * as v from 'valibot'
import { unusableCommand } from '../processes/command-line.ts'
import { fixedArgument } from '../processes/llama-server-arguments.ts'
import { duration, flag, integer } from './amounts.ts'
import { orVariable } from './patterns.ts'
import { key, list, mapping, setting } from './settings.ts'
import { argument, commandLine, secretWords, text } from './texts.ts'

/** A command that can be taken apart into words. */
export const program = v.pipe(
  commandLine,
  v.rawCheck(({ dataset, addIssue }) => {
    const message = dataset.typed ? unusableCommand(dataset.value) : undefined
    if (message) addIssue({ message })
  }),
)

const extraArguments = v.pipe(
  list(argument),
  v.rawCheck(({ dataset, addIssue }) => {
    const taken = dataset.typed ? dataset.value.map(fixedArgument).find(name => name !== undefined) : undefined
    if (taken) addIssue({ message: `must not have ${taken}, which gatehouse sets itself` })
  }),
)

const urlPath = setting(
  'a path that starts with /, for example /health',
  value => (typeof value === 'string' && /^\/[!-~]*$/.test(value.trim()) ? value.trim() : undefined),
  { json: { type: 'string', pattern: orVariable('^\\s*/[!-~]*\\s*$') } },
)

const variableName = v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not a name for a variable; use letters, digits and "_"'))

/** LlamaWrapper's keys of a model that gatehouse serves with llama-server. Without defaults, so that it can be told what was written. */
export const serverEntries = {
  gpu_layers: v.optional(key(integer(-1), 'With model_path: layers on the GPU; -1 all, 0 none (the default).')),
  context_size: v.optional(key(integer(1), 'With model_path: tokens of context of a request (default 4096).')),
  threads: v.optional(key(integer(-1), 'With model_path: CPU threads (default 4); 0 and less leave it to llama-server.')),
  batch_size: v.optional(key(integer(1), 'With model_path: tokens read at once (default 512).')),
  extra_args: v.optional(key(extraArguments, 'With model_path: more arguments for llama-server.')),
}

/** What they are when they are left out. */
export const serverDefaults = { gpu_layers: 0, context_size: 4096, threads: 4, batch_size: 512, extra_args: [] as string[] }

/** Keys of every model that gatehouse runs. Without defaults, too. */
export const processEntries = {
  health: v.optional(key(urlPath, 'Path that answers 200 once the server is ready (default /health).')),
  env: v.optional(key(mapping(v.record(variableName, secretWords)), 'Variables of its environment, beside what every program needs.')),
  cwd: v.optional(key(text, 'Folder it runs in; left out, that of gatehouse.')),
  stop: v.optional(key(program, 'Command that stops it, for example a container; what is left is ended by signals.')),
  slots: v.optional(key(integer(1), 'Requests it gets at once (default 8).')),
  ttl: v.optional(key(duration({ none: true }), 'Unloaded when nobody has asked for this long (default none, never).')),
  pin: v.optional(key(flag, 'Never unload it to make room, nor when it is idle (default false).')),
  preload: v.optional(key(flag, 'Load it when gatehouse starts (default false).')),
  load_timeout: v.optional(key(duration({ none: true }), 'Longest load; left out, timeouts.load.')),
  group: v.optional(key(text, 'Name of one of the groups.')),
}

/** What they are when they are left out. */
export const processDefaults = {
  health: '/health',
  env: {} as Record<string, string>,
  slots: 8,
  ttl: Number.POSITIVE_INFINITY,
  pin: false,
  preload: false,
}

/** What the models of a group have in common. */
export const groupSchema = mapping(
  v.strictObject({
    exclusive: v.optional(key(flag, 'Its models never run together; the one that is asked for takes the place of the other.'), false),
    persistent: v.optional(key(flag, 'Its models are not unloaded to make room for models outside of the group.'), false),
  }),
)
