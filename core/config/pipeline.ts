/** The plugins that come with gatehouse, in the order of the default pipeline. */
export const builtinPlugins: readonly string[] = ['auth', 'limiter', 'cache', 'quota', 'mcp-tools', 'router']

/** Every name in a pipeline that is no plugin of the user's. */
export const ownNames: readonly string[] = [...builtinPlugins, 'introspection', 'admin']

/** True when an entry of `pipeline` is a file to load rather than a name. */
export const isPluginPath = (entry: string): boolean => /[\\/]|\.[cm]?[jt]s$/.test(entry)
