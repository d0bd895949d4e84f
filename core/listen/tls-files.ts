import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'

/** A certificate and its key, PEM. */
export interface TlsPair {
  readonly cert: string
  readonly key: string
}

/** Reads the files of the config and checks that they belong together. Undefined without TLS; throws a ConfigError that names the file. */
export async function readTlsPair({ enabled, cert_file, key_file }: Config['tls']): Promise<TlsPair | undefined> {
  if (!enabled || cert_file === undefined || key_file === undefined) return undefined
  const [cert, key] = await Promise.all([readPem('tls.cert_file', cert_file), readPem('tls.key_file', key_file)])
  const certificate = parse('tls.cert_file', cert_file, () => new X509Certificate(cert))
  const privateKey = parse('tls.key_file', key_file, () => createPrivateKey(key))
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new ConfigError(`tls.key_file: ${key_file} is not the key of the certificate in ${cert_file}`)
  }
  return { cert, key }
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
