/** True when an entry of `pipeline` is a file to load rather than a name. */
export const isPluginPath = (entry: string): boolean => /[\\/]|\.[cm]?[jt]s$/.test(entry)
