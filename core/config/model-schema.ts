import * as v from 'valibot'
import { integer, share } from './amounts.ts'
import { given } from './patterns.ts'
import { key, list, mapping, section } from './settings.ts'
import { argument, choice, commandLine, text } from './texts.ts'

const modelName = v.pipe(
  text,
  v.check(name => name.split('*').length <= 2, 'may have one "*" at most'),
)

/** Fields that decide how gatehouse itself treats a request; changed behind its back they would only break it. */
const ours = ['model', 'messages', 'stream']

const targetSchema = mapping(
  v.strictObject({
    backend: key(text, 'Name of one of the backends.'),
    model: v.optional(key(text, 'Name of the model there; left out, the name it has here.')),
    weight: v.optional(key(share, 'Share of the requests, for strategies that spread them.'), 1),
    set: v.pipe(
      section,
      v.check(
        fields => !ours.some(field => Object.hasOwn(fields, field)),
        `must not set ${ours.join(', ')}; the name at the backend is the target's "model"`,
      ),
      v.description('Fields to put into every request.'),
    ),
    strip: v.optional(
      key(
        v.pipe(
          list(text),
          v.check(fields => !ours.some(field => fields.includes(field)), `must not strip ${ours.join(', ')}`),
        ),
        'Fields to take out of every request.',
      ),
      [],
    ),
  }),
)

/** LlamaWrapper's keys of a model that gatehouse itself runs. Their defaults come below, so that it can be told what was written. */
const serverEntries = {
  gpu_layers: v.optional(key(integer(-1), 'With model_path: layers on the GPU; -1 all, 0 none (the default).')),
  context_size: v.optional(key(integer(1), 'With model_path: tokens of context (default 4096).')),
  threads: v.optional(key(integer(-1), 'With model_path: CPU threads (default 4); 0 and less leave it to llama-server.')),
  batch_size: v.optional(key(integer(1), 'With model_path: tokens read at once (default 512).')),
  extra_args: v.optional(key(list(argument), 'With model_path: more arguments for llama-server.')),
}

/** A model has one of these. */
const places = ['targets', 'model_path', 'command'] as const

/** One entry of `models`: a name, and the places that serve it or the process that does. */
export const modelSchema = mapping(
  v.pipe(
    v.strictObject({
      name: key(modelName, 'The name clients use; one "*" stands for anything.'),
      aliases: v.optional(key(list(modelName), 'Other names for it.'), []),
      strategy: v.optional(key(choice('failover'), 'How a target is chosen: failover takes the first that answers.'), 'failover'),
      targets: v.optional(
        key(
          v.pipe(list(targetSchema), v.minLength(1, 'must have at least one target, for example { backend: home }')),
          'Where it is served, in order.',
        ),
      ),
      context_length: v.optional(key(integer(1), 'Tokens that fit; told to clients.')),
      max_output_tokens: v.optional(key(integer(1), 'Most tokens of one answer.')),
      cache_scope: v.optional(
        key(choice('key', 'all', 'off'), 'Who may have whose answers from the cache; off keeps none. Left out, cache.scope says it.'),
      ),
      model_path: v.optional(key(text, 'The .gguf file of a model that gatehouse serves with llama-server.')),
      ...serverEntries,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what may stand in the text
      command: v.optional(key(commandLine, 'Command of any other server that gatehouse runs; ${PORT} is the port it must listen on.')),
    }),
    v.metadata({ oneOf: places.map(given) }),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return
      const model = dataset.value
      const complain = (name: keyof typeof model, message: string) =>
        addIssue({ message, path: [{ type: 'object', origin: 'value', input: model, key: name, value: model[name] }] })
      const given = places.filter(name => model[name] !== undefined)
      if (given.length === 0) {
        complain(
          'targets',
          'is missing; write where the model is served, for example [{ backend: home }], or the model_path of a GGUF file',
        )
      }
      if (given.length > 1)
        complain(given[1] ?? 'targets', `must not stand beside ${given[0]}; a model has one of targets, model_path, command`)
      if (model.model_path !== undefined || given.length === 0) return
      for (const name of Object.keys(serverEntries) as (keyof typeof serverEntries)[]) {
        if (model[name] !== undefined) complain(name, 'is for models with a model_path')
      }
    }),
    v.transform(
      ({
        targets = [],
        model_path,
        gpu_layers = 0,
        context_size = 4096,
        threads = 4,
        batch_size = 512,
        extra_args = [],
        command,
        ...model
      }) => ({
        ...model,
        targets,
        ...(model_path !== undefined && { model_path, gpu_layers, context_size, threads, batch_size, extra_args }),
        ...(command !== undefined && { command }),
      }),
    ),
  ),
)

/** A model as the config file describes it. */
export type ModelConfig = v.InferOutput<typeof modelSchema>
