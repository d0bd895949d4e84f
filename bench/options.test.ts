import { describe, expect, test } from 'bun:test'
import { readOptions, rivalUpstreamPort } from './options.ts'

const read = (line: string) => readOptions(line === '' ? [] : line.split(' '), ['latency', 'start'])

test('nothing said is everything at its usual length', () => {
  expect(read('')).toEqual({
    parts: [],
    length: 'usual',
    save: false,
    markdown: false,
    hold: false,
    upstreamPort: 0,
    rivals: [],
    arrivals: 'poisson',
  })
})

test('rivals by name and URL, with or without /v1; their upstream has a port they can know', () => {
  expect(read('latency --rival a=http://127.0.0.1:4000/v1 --rival b=http://localhost:8080/openai/ --rival-pid b=12')).toMatchObject({
    parts: ['latency'],
    upstreamPort: rivalUpstreamPort,
    rivals: [
      { name: 'a', url: 'http://127.0.0.1:4000' },
      { name: 'b', url: 'http://localhost:8080/openai', pid: 12 },
    ],
  })
  expect(read('--hold').upstreamPort).toBe(rivalUpstreamPort)
  expect(read('--rival a=http://127.0.0.1:4000 --upstream-port 9100').upstreamPort).toBe(9100)
})

describe('what is wrong is named', () => {
  for (const [line, complaint] of [
    ['warp', 'there is no part "warp"; there are latency, start'],
    ['--short --long', 'not both'],
    ['--save latency', '--save keeps a whole run'],
    ['--save --short', '--save keeps a whole run'],
    ['--rival litellm', 'has to be NAME=URL'],
    ['--rival =http://127.0.0.1:1', 'has to be NAME=URL'],
    ['--rival a=localhost:4000', 'needs an http:// URL'],
    ['--rival a=https://127.0.0.1:4000', 'needs an http:// URL'],
    ['--rival direct=http://127.0.0.1:4000', 'the name is taken'],
    ['--rival a=http://127.0.0.1:1 --rival a=http://127.0.0.1:2', 'the name is taken'],
    ['--rival-pid a=12', 'there is no --rival of that name'],
    ['--rival a=http://127.0.0.1:1 --rival-pid a=x', 'needs the number of a process'],
    ['--upstream-port 0', 'has to be a port'],
    ['--upstream-port 70000', 'has to be a port'],
    ['--arrivals often', 'has to be constant or poisson'],
    ['--fast', '--fast'],
  ] as const)
    test(line, () => expect(() => read(line)).toThrow(complaint))
})
