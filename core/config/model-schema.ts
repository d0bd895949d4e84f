import * as v from 'valibot'
import { choice, integer, list, mapping, section, share, text } from './settings.ts'

const targetSchema = mapping(
  v.strictObject({
    backend: text,
    // Left out: the name the model has here.
    model: v.optional(text),
    weight: v.optional(share, 1),
    set: section,
    strip: v.optional(list(text), []),
  }),
)

/** One entry of `models`: a name, and the places that serve it. */
export const modelSchema = mapping(
  v.strictObject({
    name: text,
    aliases: v.optional(list(text), []),
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
