import { expect, test } from 'bun:test'
import { connect } from 'node:net'
import { seededRandom } from '../testing/random.ts'
import { createPathReader, urlOf } from './url.ts'

const ways = [
  '/',
  '//',
  '.',
  '..',
  '%2e',
  '%2F',
  '?',
  '#',
  'a',
  'http:',
  'http://',
  'https://h',
  ':',
  '@',
  ' ',
  '\\',
  'é',
  '"',
  '<',
  '[',
  '{',
  '|',
]
const more = ['^', '`', ';', '*', '%', '%zz', '~', "'", '\t', 'v1', '?x=/y', '#/z', '/v1/models']
const parts = [...ways, ...more]
const hosts = [
  'h',
  'h:1',
  'localhost:8080',
  'a b',
  '',
  'h?',
  'h#',
  'h/',
  'H.X',
  '[::1]:3',
  '[::1',
  'u@h',
  'h:99999',
  '..',
  '%41',
  'é',
  'a_b',
  'h:',
]
const odd = ['1', '127.1', '0x7f.1', 'xn--a', 'https', 'a.b.c', 'x']

test('the path is what URL makes of it, whatever a client writes', async () => {
  const random = seededRandom(20261120)
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)] as string
  const pathOf = createPathReader()
  const seen = new Set<string>()
  const different: string[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      seen.add(request.url)
      if (pathOf(request) !== urlOf(request).pathname) different.push(request.url)
      return new Response()
    },
  })
  const send = (head: string) =>
    new Promise<void>(resolve => {
      const socket = connect(Number(server.port), '127.0.0.1', () => socket.write(head))
      socket.on('data', () => {})
      socket.on('error', () => {})
      socket.on('close', () => resolve())
    })
  for (let i = 0; i < 60; i++) {
    const heads = Array.from({ length: 50 }, () => {
      const target = (random() < 0.9 ? '/' : '') + Array.from({ length: random() * 6 }, () => pick(parts)).join('')
      const host = random() < 0.9 ? `host: ${pick(random() < 0.5 ? hosts : odd)}\r\n` : ''
      return `GET ${target} HTTP/1.1\r\n${host}connection: close\r\n\r\n`
    })
    await Promise.all(heads.map(send))
  }
  await server.stop(true)
  expect(different).toEqual([])
  expect(seen.size).toBeGreaterThan(500)
})

test('more origins than are remembered, and longer ones, are read all the same', () => {
  const pathOf = createPathReader()
  for (let i = 0; i < 250; i++) {
    expect(pathOf({ url: `http://host-${i}/a/${i}?q=/x` })).toBe(`/a/${i}`)
    expect(pathOf({ url: `http://${'h'.repeat(150)}.${i}/b#/x` })).toBe('/b')
  }
})
