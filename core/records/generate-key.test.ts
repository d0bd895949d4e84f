import { expect, test } from 'bun:test'
import { mayHoldKnownKey } from '../secrets/words.ts'
import { generateKey } from './generate-key.ts'

test('a key is what clients, scanners and our own log take for one', () => {
  const { secret, sha256, prefix } = generateKey()
  expect(secret).toMatch(/^sk-[A-Za-z0-9]{43}$/)
  expect(mayHoldKnownKey(secret)).toBe(true)
  expect(sha256).toBe(new Bun.CryptoHasher('sha256').update(secret).digest('hex'))
  expect(prefix).toBe(secret.slice(0, 10))
  expect(mayHoldKnownKey(prefix)).toBe(false)
})

test('no two are the same, and each letter is as likely as the others', () => {
  const count = 20_000
  const secrets = new Set<string>()
  const seen = new Map<string, number>()
  for (let at = 0; at < count; at++) {
    const { secret } = generateKey()
    secrets.add(secret)
    for (const letter of secret.slice(3)) seen.set(letter, (seen.get(letter) ?? 0) + 1)
  }
  expect(secrets.size).toBe(count)
  expect(seen.size).toBe(62)
  const expected = (count * 43) / 62
  // nine standard deviations; bytes modulo 62 would give eight letters a quarter more
  for (const times of seen.values()) expect(Math.abs(times - expected)).toBeLessThan(9 * Math.sqrt(expected))
})

test('bytes that would favour a letter are passed over', () => {
  let call = 0
  const { secret } = generateKey(length => new Uint8Array(length).fill(call++ === 0 ? 255 : 61))
  expect(call).toBe(2)
  expect(secret).toBe(`sk-${'9'.repeat(43)}`)
})
