import { isLoopback } from '../http/loopback.ts'
import { adminKey as admin, apiKey as api, type FoundKey, forgetSecret, hideSecret, type KeyKind, keepHash } from '../kept-key.ts'
import type { Logger } from '../log.ts'
import { version } from '../version.ts'
import type { Settled } from './settle.ts'

/** What a person sees who starts gatehouse in a terminal. */
export function printBanner({ config, found }: Settled, port: number, open: boolean): void {
  const { host, tls } = config
  const name = isLoopback(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const entry = open
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

/** Now that it listens: new secrets to whoever started it, and only then their hashes, which the next start goes by. */
export async function keepKeys({ config: { data_dir: dataDir }, entryKey, adminKey }: Settled, log: Logger): Promise<void> {
  if (entryKey) await keepKey(api, entryKey, dataDir, log)
  await keepKey(admin, adminKey, dataDir, log)
}

async function keepKey(kind: KeyKind, { isNew, secret, sha256 }: FoundKey, dataDir: string, log: Logger): Promise<void> {
  if (!isNew) return
  await forgetSecret(dataDir, kind) // that of a key before it
  if (secret !== undefined) await tellSecret(kind, secret, dataDir, log)
  await keepHash(dataDir, kind, sha256)
}

async function tellSecret(kind: KeyKind, secret: string, dataDir: string, log: Logger): Promise<void> {
  if (process.stderr.isTTY) process.stderr.write(`\n  The ${kind.title} (shown this once): ${secret}\n`)
  else {
    const path = await hideSecret(dataDir, kind, secret)
    log.warn({ path }, `an ${kind.title} was made; the file with it is deleted when the key is first used`)
  }
}
