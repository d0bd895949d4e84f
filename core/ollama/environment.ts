import { pick, safeEnvironment } from '../processes/environment.ts'

/** Ollama downloads models, through the proxy its user has set. */
const proxies = /^(https?|no|all)_proxy$/i

/**
 * What an Ollama that we start gets to see: what any program needs, and its user's own settings. Not our
 * OLLAMA_HOST, which says where *we* find Ollama: Ollama would take it for the address to listen on.
 */
export const ollamaEnvironment = (env: NodeJS.ProcessEnv, address: string): Record<string, string> => ({
  ...safeEnvironment(env),
  ...pick(env, name => proxies.test(name) || (/^ollama_/i.test(name) && !/^ollama_(host|autostart)$/i.test(name))),
  OLLAMA_HOST: address,
})
