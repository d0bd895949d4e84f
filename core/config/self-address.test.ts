import { expect, test } from 'bun:test'
import { networkInterfaces } from 'node:os'
import { isOwnAddress } from './self-address.ts'

const loopback = { host: '127.0.0.1', port: 11_435 }

test.each([
  'http://127.0.0.1:11435',
  'http://localhost:11435/v1',
  'HTTP://LOCALHOST:11435',
  'http://localhost.:11435',
  'http://x.localhost:11435',
  'http://[::1]:11435',
  'http://0.0.0.0:11435',
  'http://[::]:11435',
  'http://127.1:11435',
  'http://2130706433:11435',
  'http://[::ffff:127.0.0.1]:11435',
  ' https://127.0.0.1:11435/',
])('%s is where a gatehouse on the loopback listens', address => {
  expect(isOwnAddress(address, loopback)).toBe(true)
  expect(isOwnAddress(address, { ...loopback, host: '0.0.0.0' })).toBe(true)
  expect(isOwnAddress(address, { ...loopback, host: '192.0.2.1' })).toBe(false)
})

test.each([
  'http://127.0.0.1:11434',
  'http://127.0.0.1',
  'http://192.0.2.1:11435',
  'http://localhost.example:11435',
  'http://ollama:11435',
  'no address',
])('%s is not', address => {
  expect(isOwnAddress(address, loopback)).toBe(false)
  expect(isOwnAddress(address, { ...loopback, host: '0.0.0.0' })).toBe(false)
})

test('one that listens on one address is there alone, one that listens everywhere on each of the machine', () => {
  expect(isOwnAddress('http://192.0.2.1:11435', { host: '192.0.2.1', port: 11_435 })).toBe(true)
  expect(isOwnAddress('http://[2001:db8::1]:443', { host: '2001:db8::1', port: 443 })).toBe(true)
  expect(isOwnAddress('http://gate.example', { host: '0.0.0.0', port: 80 })).toBe(false)
  for (const { address, family, scopeid } of Object.values(networkInterfaces()).flatMap(all => all ?? [])) {
    if (scopeid) continue
    expect(isOwnAddress(`http://${family === 'IPv6' ? `[${address}]` : address}:80`, { host: '::', port: 80 })).toBe(true)
  }
})
