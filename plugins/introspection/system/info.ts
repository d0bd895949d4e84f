import { operations, type Route, version } from 'gatehouse'

/** What this gateway can do. */
export interface Capabilities {
  readonly endpoints: readonly string[]
  readonly mcp_enabled: boolean
  readonly memory_enabled: boolean
  readonly introspection_enabled: boolean
}

/** `/v1/system/info`. `go_version` is where LlamaGate's clients look for what the program runs on. */
export function describeRuntime(capabilities: Capabilities) {
  const runtime = `Bun ${Bun.version}`
  return {
    runtime: {
      app_version: version,
      runtime_version: runtime,
      go_version: runtime,
      uptime_secs: process.uptime(),
      process_rss_bytes: process.memoryUsage.rss(),
      current_time: new Date().toISOString(),
    },
    capabilities,
  }
}

/** The paths of the model API and of the routes. */
export const listEndpoints = (routes: readonly Pick<Route, 'path'>[] = []): string[] => [
  ...new Set([...operations, ...routes].map(({ path }) => path)),
]
