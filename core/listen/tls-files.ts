import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'

/** A certificate with its chain, and its key, PEM. */
export interface TlsPair {
  readonly cert: string
  readonly key: string
  /** What clients will complain of, though it can be served. */
  readonly warnings: readonly string[]
}

const block = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g

/** Reads the files of the config and checks that they belong together. Undefined without TLS; throws a ConfigError that names the file. */
export async function readTlsPair({ enabled, cert_file, key_file }: Config['tls'], now = Date.now()): Promise<TlsPair | undefined> {
  if (!enabled || cert_file === undefined || key_file === undefined) return undefined
  const [cert, key] = await Promise.all([readPem('tls.cert_file', cert_file), readPem('tls.key_file', key_file)])
  // those after the first are the chain: broken ones would only show when they are served
  const [certificate] = parse('tls.cert_file', cert_file, () => (cert.match(block) ?? [cert]).map(pem => new X509Certificate(pem)))
  const privateKey = parse('tls.key_file', key_file, () => createPrivateKey(key))
  if (!certificate?.checkPrivateKey(privateKey)) {
    throw new ConfigError(`tls.key_file: ${key_file} is not the key of the certificate in ${cert_file}`)
  }
  return { cert, key, warnings: judge(certificate, cert_file, now) }
}

function judge({ validFrom, validTo }: X509Certificate, path: string, now: number): string[] {
  if (Date.parse(validTo) < now) return [`tls.cert_file: the certificate in ${path} expired on ${validTo}; clients will refuse it`]
  if (Date.parse(validFrom) > now)
    return [`tls.cert_file: the certificate in ${path} is not valid before ${validFrom}; clients will refuse it`]
  return []
}

async function readPem(setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const { code } = cause as { code?: string }
    throw new ConfigError(`${setting}: ${path} ${code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`}`, { cause })
  }
}

function parse<T>(setting: string, path: string, read: () => T): T {
  try {
    return read()
  } catch {
    // without the cause: it may quote the file
    throw new ConfigError(
      `${setting}: ${path} is not a PEM file that can be used${setting === 'tls.key_file' ? ' (an encrypted key cannot)' : ''}`,
    )
  }
}
