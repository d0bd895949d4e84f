import * as v from 'valibot'
import { duration, flag, integer, portion, positiveNumber } from './amounts.ts'
import { key, mapping } from './settings.ts'

/** The queue in front of each model. How long a request waits there is `timeouts.queue`. */
export const queueSchema = mapping(
  v.strictObject({
    max_length: v.optional(key(integer(0), 'Most requests that wait for one model; more are refused.'), 256),
    max_per_key: v.optional(key(integer(0), 'Most of them with the same key; left out, max_length.')),
    weights: v.optional(
      key(
        mapping(v.record(v.string(), positiveNumber)),
        'Shares of keys, by their names, in which one "*" or more stand for anything; the first that fits counts, others have 1.',
      ),
      {},
    ),
  }),
)

/** When a target that fails is left alone for a while. */
export const breakerSchema = mapping(
  v.strictObject({
    enabled: v.optional(key(flag, 'Leave targets that fail alone for a while.'), true),
    failures: v.optional(key(integer(1), 'It fails this often in a row.'), 5),
    failure_rate: v.optional(key(portion, 'Or this part of its requests fails, from 0 to 1.'), 0.5),
    min_requests: v.optional(key(integer(1), 'Requests there must be before failure_rate counts.'), 20),
    window: v.optional(key(duration(), 'How far back failure_rate looks.'), '1m'),
    cooldown: v.optional(key(duration(), 'How long it is left alone, until one request tries it again.'), '10s'),
    max_cooldown: v.optional(key(duration(), 'The longest that grows to while it keeps failing.'), '5m'),
  }),
)
