import * as v from 'valibot'
import { flag, integer, share } from './amounts.ts'
import { given } from './patterns.ts'
import { processDefaults, processEntries, program, serverDefaults, serverEntries } from './process-schema.ts'
import { key, list, mapping, section } from './settings.ts'
import { choice, text } from './texts.ts'

const modelName = v.pipe(
  text,
  v.check(name => name.split('*').length <= 2, 'may have one "*" at most'),
)

/** Fields that decide how gatehouse itself treats a request; changed behind its back they would only break it. */
const ours = ['model', 'messages', 'stream']

const edits = {
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
}

const aliasSchema = v.union(
  [modelName, mapping(v.strictObject({ name: key(modelName, 'The other name.'), ...edits }))],
  'must be a name, or { name: …, set: { … }, strip: [ … ] } without fields that are not there',
)

const targetSchema = mapping(
  v.strictObject({
    backend: key(text, 'Name of one of the backends.'),
    model: v.optional(key(text, 'Name of the model there; left out, the name it has here.')),
    weight: v.optional(key(share, 'Share of the requests, for strategies that spread them.'), 1),
    slots: v.optional(key(integer(1), 'Requests it gets at once; others wait in a queue. Left out, those of the backend, if it has any.')),
    ...edits,
  }),
)

/** Every way to choose among the targets of a model. */
export const strategies = ['failover', 'weighted', 'least-busy', 'fastest', 'warm', 'sticky'] as const

/** A model has one of these. */
const places = ['targets', 'model_path', 'command'] as const

/** One entry of `models`: a name, and the places that serve it or the process that does. */
export const modelSchema = mapping(
  v.pipe(
    v.strictObject({
      name: key(modelName, 'The name clients use; one "*" stands for anything.'),
      aliases: v.optional(key(list(aliasSchema), 'Other names for it, which may change requests.'), []),
      strategy: v.optional(
        key(choice(...strategies), 'How a target is chosen: failover takes the first in order that answers.'),
        'failover',
      ),
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
      unlisted: v.optional(key(flag, 'Leave it out of /v1/models; who knows its name can use it.'), false),
      model_path: v.optional(key(text, 'The .gguf file of a model that gatehouse serves with llama-server.')),
      ...serverEntries,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what may stand in the text
      command: v.optional(key(program, 'Command of any other server that gatehouse runs; ${PORT} is the port it must listen on.')),
      ...processEntries,
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
      const refuse = (entries: object, message: string) => {
        for (const name of Object.keys(entries) as (keyof typeof model)[]) if (model[name] !== undefined) complain(name, message)
      }
      if (model.model_path === undefined && given.length > 0) refuse(serverEntries, 'is for models with a model_path')
      if (model.targets !== undefined) refuse(processEntries, 'is for models that gatehouse runs, with a model_path or a command')
    }),
    v.transform(({ targets = [], ...model }) => ({
      ...(model.model_path !== undefined && serverDefaults),
      ...(targets.length === 0 && processDefaults),
      ...model,
      targets,
    })),
  ),
)

/** A model as the config file describes it. */
export type ModelConfig = v.InferOutput<typeof modelSchema>

/** Another name of a model, and what it changes in requests. */
export interface Alias {
  readonly name: string
  readonly set: Readonly<Record<string, unknown>>
  readonly strip: readonly string[]
}

/** The other names of a model, however they are written. */
export const aliasesOf = ({ aliases }: Pick<ModelConfig, 'aliases'>): readonly Alias[] =>
  aliases.map(alias => (typeof alias === 'string' ? { name: alias, set: {}, strip: [] } : alias))
