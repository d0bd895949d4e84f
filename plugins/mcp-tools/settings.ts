import { type Config, parseDuration, v } from 'gatehouse'

/** What the tool loop needs of the `mcp` section of the config. */
export type ToolSettings = Pick<
  Config['mcp'],
  | 'inject'
  | 'max_tool_rounds'
  | 'max_tool_calls_per_round'
  | 'max_total_tool_calls'
  | 'default_tool_timeout'
  | 'max_tool_result_size'
  | 'allow_tools'
  | 'deny_tools'
  | 'resource_fetch_timeout'
>

const duration = v.pipe(
  v.string(),
  v.transform(text => parseDuration(text) ?? Number.NaN),
  v.check(ms => ms > 0, 'is not a duration; write it like 90s or 5m, or none'),
)

/** What stands under `mcp-tools` in the config. */
export const toolOptions = v.strictObject({
  /** Calls of one round that run at the same time; as many reads of resources. */
  parallel_calls: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 8),
  /** How long all tools of one request may run, waiting for each other not counted. */
  total_tool_time: v.optional(duration, '5m'),
  /** Resources that are read for one request. */
  max_resources: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 20),
  /** What becomes of a request whose resource cannot be read. */
  on_resource_error: v.optional(v.picklist(['skip', 'fail']), 'skip'),
})

/** The same, checked. */
export type ToolOptions = v.InferOutput<typeof toolOptions>
