import { filled, type JsonObject } from './json-object.ts'
import type { NormaliseOptions } from './normalise-options.ts'

/** The fields that are the same in everything one answer sends: `id`, `object`, `created` and `model`. */
export interface Envelope {
  /** True once the answer has its id. */
  readonly known: boolean
  /** Writes the fields where they differ; true when one did. The first `id` and `created` seen are kept. */
  stamp(json: JsonObject): boolean
}

/** An envelope without an id yet. `object` is what the answer calls itself. */
export function createEnvelope({ operation, model, newId, now = Date.now }: NormaliseOptions, object: string): Envelope {
  let id: string | undefined
  let created: number | undefined
  return {
    get known() {
      return id !== undefined
    },
    stamp(json) {
      let changed = false
      id ??= filled(json.id) ?? `${operation === 'completions' ? 'cmpl' : 'chatcmpl'}-${newId()}`
      // Azure's first event says 0.
      created ??= typeof json.created === 'number' && json.created > 0 ? json.created : Math.floor(now() / 1000)
      if (json.id !== id) {
        json.id = id
        changed = true
      }
      if (json.object !== object) {
        json.object = object
        changed = true
      }
      if (json.created !== created) {
        json.created = created
        changed = true
      }
      if (json.model !== model) {
        json.model = model
        changed = true
      }
      return changed
    },
  }
}
