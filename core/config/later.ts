import type { Config } from './schema.ts'

/** Settings that are checked and kept, but do nothing yet. A release that brings the feature deletes its line. */
const later: readonly { readonly feature: string; readonly at: string; readonly asked: (config: Config) => boolean }[] = [
  { feature: 'MCP', at: 'mcp', asked: ({ mcp }) => mcp.enabled },
  { feature: '/metrics', at: 'metrics', asked: () => true },
  { feature: '/v1/plugins', at: 'plugins.enabled', asked: ({ plugins }) => plugins.enabled },
]

/** One line for each feature that somebody asked for and that is not there yet. */
export function warnOfLater(config: Config, sources: ReadonlyMap<string, string>): string[] {
  return later.flatMap(({ feature, at, asked }) => {
    const set = [...sources].find(([path, source]) => (path === at || path.startsWith(`${at}.`)) && !source.startsWith('default'))
    return set && asked(config) ? [`${set[1]}: ${set[0]}: ${feature} is not part of this release yet; the setting is kept`] : []
  })
}
