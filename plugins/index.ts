import type { Plugin } from 'gatehouse'
import auth from './auth/index.ts'
import cache from './cache/index.ts'
import introspection from './introspection/index.ts'
import limiter from './limiter/index.ts'
import router from './router/index.ts'

/** The plugins inside the binary. Static imports, so that the bundler sees them. */
export const builtIn: ReadonlyMap<string, Plugin> = new Map(
  ([auth, limiter, cache, introspection, router] as Plugin[]).map(plugin => [plugin.name, plugin]),
)

/** Names of built-in plugins that later releases bring. They may stand in a pipeline and do nothing yet. */
export const reserved: readonly string[] = ['quota', 'mcp-tools', 'admin']

/**
 * Built in, and there whatever `pipeline` says; not named there, a layer stands in front of the first of `before`.
 * The system card is part of what the cache keeps answers for, so it stands below the cache.
 */
export const alwaysOn = [{ name: 'introspection', before: ['quota', 'mcp-tools', 'router'] }]
