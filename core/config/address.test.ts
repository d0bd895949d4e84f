import { describe, expect, test } from 'bun:test'
import { parseBaseUrl, parseHostName, parseListenHost, parseNetwork, parseOrigin } from './address.ts'

const table = (name: string, parse: (text: string) => string | undefined, rows: [string, string | undefined][]) =>
  describe(name, () => {
    test.each(rows)('%p is %p', (text, expected) => {
      expect(parse(text)).toBe(expected as string)
    })
  })

table('parseListenHost', parseListenHost, [
  ['127.0.0.1', '127.0.0.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['::1', '::1'],
  ['[::1]', '::1'],
  ['Localhost', 'localhost'],
  ['my-laptop', undefined],
  ['my-laptop.local', undefined],
  ['127.0.0.1:80', undefined],
  ['x86_64-apple-darwin', undefined],
])

table('parseNetwork', parseNetwork, [
  ['10.0.0.1', '10.0.0.1'],
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['fd00::/8', 'fd00::/8'],
  ['10.0.0.0/33', undefined],
  ['fd00::/129', undefined],
  ['10.0.0.0/', undefined],
  ['10.0.0.0/8/8', undefined],
  ['10.0.0', undefined],
  ['proxy', undefined],
])

table('parseHostName', parseHostName, [
  ['gate.example.org', 'gate.example.org'],
  ['GATE', 'gate'],
  ['[fd00::1]', 'fd00::1'],
  ['llm_box', 'llm_box'],
  ['gate:80', undefined],
  ['http://gate', undefined],
  ['a b', undefined],
  ['-x', undefined],
])

table('parseOrigin', parseOrigin, [
  ['https://chat.example.org', 'https://chat.example.org'],
  ['https://Chat.example.org/', 'https://chat.example.org'],
  ['http://[::1]:3000', 'http://[::1]:3000'],
  ['tauri://localhost', 'tauri://localhost'],
  ['chat.example.org', undefined],
  ['https://a/b', undefined],
  ['https://u:p@a', undefined],
  ['https://*.example.org', undefined],
])

table('parseBaseUrl', parseBaseUrl, [
  ['http://localhost:11434', 'http://localhost:11434'],
  ['http://localhost:11434/', 'http://localhost:11434'],
  ['http://localhost:8000/v1', 'http://localhost:8000'],
  ['http://localhost:8000/v1/', 'http://localhost:8000'],
  ['https://h/api/v1', 'https://h/api'],
  ['https://h/v10', 'https://h/v10'],
  ['HTTPS://H', 'https://h'],
  ['localhost:11434', undefined],
  ['ftp://h', undefined],
  ['http://', undefined],
  ['http://h?key=1', undefined],
  ['http://h#x', undefined],
])
