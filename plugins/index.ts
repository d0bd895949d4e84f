import type { Plugin } from 'gatehouse'
import admin from './admin/index.ts'
import auth from './auth/index.ts'
import cache from './cache/index.ts'
import introspection from './introspection/index.ts'
import limiter from './limiter/index.ts'
import quota from './quota/index.ts'
import router from './router/index.ts'

/** The plugins inside the binary. Static imports, so that the bundler sees them. */
export const builtIn: ReadonlyMap<string, Plugin> = new Map(
  ([auth, limiter, cache, quota, introspection, router, admin] as Plugin[]).map(plugin => [plugin.name, plugin]),
)

/** Names of built-in plugins that later releases bring. They may stand in a pipeline and do nothing yet. */
export const reserved: readonly string[] = ['mcp-tools']

/**
 * Built in, and there whatever `pipeline` says; not named there, a layer stands in front of the first of `before`.
 * The system card is part of what the cache keeps answers for, so it stands below the cache. The admin API has no layer.
 */
export const alwaysOn = [
  { name: 'introspection', before: ['quota', 'mcp-tools', 'router'] },
  { name: 'admin', before: ['router'] },
]
