import type { Config } from '../config/schema.ts'
import { isLoopback } from '../http/loopback.ts'
import type { Logger } from '../log.ts'
import { autostartOllama } from '../ollama-autostart.ts'

/** The Ollamas that gatehouse may start. */
export interface Autostarts {
  /** Starts those of `config` that nobody has tried yet. Those of an earlier config stay. */
  follow(config: Config): void
  /** Stops those that were started here. */
  close(): Promise<void>
}

/** Starts Ollama for backends on this machine whose server is not running, once each. */
export function createAutostarts(log: Logger, env: NodeJS.ProcessEnv): Autostarts {
  const started = new Map<string, ReturnType<typeof autostartOllama>>()
  let closed = false
  return {
    follow({ ollama_autostart: wanted, backends }) {
      if (!wanted || closed) return
      for (const entry of Object.values(backends)) {
        if (entry.type !== 'ollama' || started.has(entry.base_url)) continue
        const { protocol, hostname } = new URL(entry.base_url)
        if (protocol !== 'http:' || !isLoopback(hostname)) continue
        started.set(entry.base_url, autostartOllama({ baseUrl: entry.base_url, log, env }))
      }
    },
    async close() {
      closed = true
      await Promise.all([...started.values()].map(autostart => autostart.close()))
    },
  }
}
