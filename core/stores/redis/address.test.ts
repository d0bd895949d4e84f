import { expect, test } from 'bun:test'
import { ConfigError } from '../../errors.ts'
import { parseRedisUrl } from './address.ts'

const plain = { host: 'a', port: 6379, tls: false, database: 0 }

test.each([
  ['redis://a', { ...plain, shown: 'redis://a:6379' }],
  ['redis://a/', { ...plain, shown: 'redis://a:6379' }],
  ['redis://a:1/0', { ...plain, port: 1, shown: 'redis://a:1' }],
  ['redis://', { ...plain, host: 'localhost', shown: 'redis://localhost:6379' }],
  ['redis:///2', { ...plain, host: 'localhost', database: 2, shown: 'redis://localhost:6379/2' }],
  ['redis://a/15', { ...plain, database: 15, shown: 'redis://a:6379/15' }],
  ['redis://a?db=3', { ...plain, database: 3, shown: 'redis://a:6379/3' }],
  ['rediss://a', { ...plain, tls: true, shown: 'rediss://a:6379' }],
  ['redis://:p%40%3A%2F%C3%9F@a', { ...plain, password: 'p@:/ß', shown: 'redis://a:6379' }],
  ['redis://me:word@a', { ...plain, username: 'me', password: 'word', shown: 'redis://a:6379' }],
  ['redis://me@a', { ...plain, username: 'me', shown: 'redis://a:6379' }],
  ['redis://[::1]:7/1', { ...plain, host: '::1', port: 7, database: 1, shown: 'redis://[::1]:7/1' }],
  ['redis:///run/redis.sock', { ...plain, host: 'localhost', path: '/run/redis.sock', shown: 'unix:/run/redis.sock' }],
  ['redis:///run/a%20b.sock?db=4', { ...plain, host: 'localhost', path: '/run/a b.sock', database: 4, shown: 'unix:/run/a b.sock?db=4' }],
])('%s is understood', (url, address) => {
  expect(parseRedisUrl(url)).toEqual(address)
})

test.each([
  ['http://a', 'must be an address that starts with redis:// or rediss://'],
  ['redis://:secret@', 'must be an address that starts with redis:// or rediss://'],
  ['redis://:secret@a/two', 'needs the number of a database behind the host'],
  ['redis://:secret@a/1/2', 'needs the number of a database behind the host'],
  ['redis://:secret@a/-1', 'needs the number of a database behind the host'],
  ['redis://:secret@a?db=x', 'needs the number of a database behind the host'],
  ['redis://:secret@a?timeout=5', '"timeout" is not known behind the question mark; only db is'],
  ['redis://:secret%@a', 'a % in a password is written %25'],
  ['redis://:secret@a/1#x', 'a # in a password is written %23'],
  ['rediss:///run/redis.sock', 'has no TLS over a Unix socket'],
])('%s is refused, and not quoted', (url, problem) => {
  const attempt = () => parseRedisUrl(url)
  expect(attempt).toThrow(ConfigError)
  expect(attempt).toThrow(problem)
  expect(attempt).not.toThrow('secret')
})
