import { X509Certificate } from 'node:crypto'
import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Config } from '../../config/schema.ts'
import { ConfigError } from '../../errors.ts'
import { readTlsPair } from '../../listen/tls-files.ts'
import { type Finding, ok, problem, warning } from './finding.ts'

const day = 24 * 3_600_000
const soon = 14 * day

/** The certificate and its key: there, a pair, and valid for a while. */
export async function checkTls(tls: Config['tls'], now: number): Promise<readonly Finding[]> {
  if (!tls.enabled) {
    const given = tls.cert_file !== undefined || tls.key_file !== undefined
    return given ? [warning('TLS files are named, but TLS is off', 'set TLS_ENABLED=true (tls.enabled), or take them out')] : []
  }
  const fix = 'tls.cert_file and tls.key_file must name a certificate and its unencrypted key, both PEM'
  try {
    await readTlsPair(tls)
  } catch (error) {
    if (error instanceof ConfigError) return [problem(error.message, fix)]
    throw error
  }
  const chain = await readChain(tls.cert_file as string)
  return [...chain.map((certificate, index) => checkDates(certificate, index > 0, now)), ...checkKeyMode(tls.key_file as string)]
}

async function readChain(path: string): Promise<readonly X509Certificate[]> {
  const text = await readFile(path, 'utf8')
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [text]
  return blocks.map(block => new X509Certificate(block))
}

function checkDates({ subject, validFrom, validTo }: X509Certificate, issuer: boolean, now: number): Finding {
  const name = `the ${issuer ? 'issuer’s certificate' : 'certificate'} (${subject.replaceAll('\n', ', ')})`
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)]
  const renew = 'renew it; gatehouse takes the new files up while it runs'
  const days = Math.floor((to - now) / day)
  if (now < from)
    return problem(`${name} is valid only from ${isoDay(from)}`, 'check the clock of this machine, or use another certificate')
  if (now > to) return problem(`${name} has expired on ${isoDay(to)}`, renew)
  if (to - now < soon) return warning(`${name} expires in ${days} day${days === 1 ? '' : 's'}, on ${isoDay(to)}`, renew)
  return ok(`${name} is valid until ${isoDay(to)}`)
}

function checkKeyMode(path: string): readonly Finding[] {
  const { mode } = statSync(path)
  if (process.platform === 'win32' || (mode & 0o007) === 0) return []
  return [warning(`every user of this machine can read ${path}`, `chmod 600 ${path}`)]
}

const isoDay = (time: number) => new Date(time).toISOString().slice(0, 10)
