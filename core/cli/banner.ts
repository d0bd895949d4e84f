import type { Config } from '../config/schema.ts'
import { hideSecret, isOpen, keepHash } from '../entry-key.ts'
import { isLoopback } from '../http/loopback.ts'
import type { Logger } from '../log.ts'
import { version } from '../version.ts'
import type { Settled } from './settle.ts'

/** What a person sees who starts gatehouse in a terminal. */
export function printBanner({ config, found }: Settled, port: number): void {
  const { host, tls } = config
  const name = isLoopback(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const entry = isOpen(config)
    ? `open: anybody who reaches ${isLoopback(host) ? 'this machine’s loopback' : 'this address'} needs no key`
    : 'closed: a key is needed'
  process.stderr.write(
    [
      '',
      `  gatehouse ${version}`,
      `  OpenAI API   ${tls.enabled ? 'https' : 'http'}://${name}:${port}/v1`,
      `  models from  ${found}`,
      `  entry        ${entry}`,
      '',
      '',
    ].join('\n'),
  )
}

/** Now that it listens: the secret to whoever started it, and only then the hash that closes the next start too. */
export async function keepEntryKey({ config, entryKey }: Settled, log: Logger): Promise<void> {
  if (!entryKey?.secret) return
  if (process.stderr.isTTY) process.stderr.write(`\n  API key (shown this once): ${entryKey.secret}\n`)
  else {
    const path = await hideSecret(config.data_dir, entryKey.secret)
    log.warn({ path }, 'an API key was made; the file with it is deleted when the key is first used')
  }
  await keepHash(config.data_dir, entryKey.sha256)
}

/** The line that says whether strangers may enter. */
export function logEntry(config: Config, log: Logger): void {
  if (isOpen(config)) log.warn('API key authentication disabled: anybody who reaches this address may use the models')
  else log.info('API key authentication enabled')
}
