import { expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from '../../testing/certificate.ts'
import { checkTls } from './tls.ts'

const day = 24 * 3_600_000

/** The findings for a pair of files, seen some days from now. */
async function look(files: { readonly cert?: string; readonly key?: string }, inDays: number, mode = 0o600): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-tls-'))
  const [cert_file, key_file] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  try {
    if (files.cert !== undefined) writeFileSync(cert_file, files.cert)
    if (files.key !== undefined) writeFileSync(key_file, files.key)
    if (files.key !== undefined) chmodSync(key_file, mode)
    const found = await checkTls({ enabled: true, cert_file, key_file }, Date.now() + inDays * day)
    return found.map(
      ({ status, message, fix }) => `${status}: ${message.replaceAll(folder, 'CWD')}${fix ? ` → ${fix.replaceAll(folder, 'CWD')}` : ''}`,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const pair = makeCertificate() // valid for two days
const other = makeCertificate()

test('a certificate has its dates looked at', async () => {
  expect(await look(pair, -13)).toEqual([expect.stringMatching(/^problem: the certificate \(CN=localhost\) is valid only from 20/)])
  expect(await look(pair, 0)).toEqual([
    expect.stringMatching(/^warning: the certificate \(CN=localhost\) expires in 1 day, on 20\d\d-\d\d-\d\d → renew it/),
  ])
  expect(await look(pair, 3)).toEqual([expect.stringMatching(/^problem: the certificate \(CN=localhost\) has expired on 20/)])
})

test('so have those of its issuers in the same file', async () => {
  const found = await look({ cert: pair.cert + other.cert, key: pair.key }, 3)
  expect(found.map(line => line.slice(0, line.indexOf(' (')))).toEqual(['problem: the certificate', 'problem: the issuer’s certificate'])
})

test('a key that others can read is told of', async () => {
  expect((await look(pair, 0, 0o644))[1]).toBe('warning: every user of this machine can read CWD/key.pem → chmod 600 CWD/key.pem')
})

test('files that are missing, no certificates, or no pair', async () => {
  expect((await look({}, 0))[0]).toMatch(/^problem: tls\.(cert|key)_file: CWD\/(cert|key)\.pem does not exist → tls\.cert_file and/)
  expect((await look({ cert: 'a diary', key: pair.key }, 0))[0]).toMatch(/^problem: tls\.cert_file: CWD\/cert\.pem is not/)
  expect((await look({ cert: pair.cert, key: other.key }, 0))[0]).toMatch(/^problem: tls\.key_file: .* is not the key of the certificate/)
})

test('files that are named while TLS is off', async () => {
  expect(await checkTls({ enabled: false }, Date.now())).toEqual([])
  expect(await checkTls({ enabled: false, cert_file: 'cert.pem' }, Date.now())).toMatchObject([{ status: 'warning' }])
})
