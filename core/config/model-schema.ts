import * as v from 'valibot'
import { choice, integer, list, mapping, section, share, text } from './settings.ts'

const modelName = v.pipe(
  text,
  v.check(name => name.split('*').length <= 2, 'may have one "*" at most'),
)

/** Fields that decide how gatehouse itself treats a request; changed behind its back they would only break it. */
const ours = ['model', 'messages', 'stream']

const targetSchema = mapping(
  v.strictObject({
    backend: text,
    // Left out: the name the model has here.
    model: v.optional(text),
    weight: v.optional(share, 1),
    set: v.pipe(
      section,
      v.check(
        fields => !ours.some(field => Object.hasOwn(fields, field)),
        `must not set ${ours.join(', ')}; the name at the backend is the target's "model"`,
      ),
    ),
    strip: v.optional(
      v.pipe(
        list(text),
        v.check(fields => !ours.some(field => fields.includes(field)), `must not strip ${ours.join(', ')}`),
      ),
      [],
    ),
  }),
)

/** One entry of `models`: a name, and the places that serve it. */
export const modelSchema = mapping(
  v.strictObject({
    name: modelName,
    aliases: v.optional(list(modelName), []),
    strategy: v.optional(choice('failover'), 'failover'),
    targets: v.pipe(list(targetSchema), v.minLength(1, 'must have at least one target, for example { backend: home }')),
    context_length: v.optional(integer(1)),
    max_output_tokens: v.optional(integer(1)),
  }),
)

/** A model as the config file describes it. */
export type ModelConfig = v.InferOutput<typeof modelSchema>

/** Keys of LlamaWrapper's models; a release with model processes will know them. */
export const processKeys: ReadonlySet<string> = new Set([
  'model_path',
  'gpu_layers',
  'context_size',
  'threads',
  'batch_size',
  'extra_args',
  'command',
])
