// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shows that nothing is interpolated

import { describe, expect, test } from 'bun:test'
import { parseDotenv } from './dotenv.ts'
import { tryConfig } from './try-config.ts'

describe('a line of .env', () => {
  test.each<[string, Record<string, string>]>([
    ['PORT=1111', { PORT: '1111' }],
    ['export PORT=1111', { PORT: '1111' }],
    ['  PORT = 1111  ', { PORT: '1111' }],
    ['KEY="a b"', { KEY: 'a b' }],
    ["KEY='a b'", { KEY: 'a b' }],
    ['KEY="a # b" # c', { KEY: 'a # b' }],
    ['KEY=a # c', { KEY: 'a' }],
    ['KEY=a#b', { KEY: 'a#b' }],
    ['KEY= # only a comment', { KEY: '' }],
    ['KEY=', { KEY: '' }],
    ['KEY="a\\nb"', { KEY: 'a\nb' }],
    ['KEY="a\\"b"', { KEY: 'a"b' }],
    ["KEY='a\\nb'", { KEY: 'a\\nb' }],
    ['KEY=$HOME/${X}', { KEY: '$HOME/${X}' }],
    ['KEY="$HOME"', { KEY: '$HOME' }],
    ['KEY=a=b', { KEY: 'a=b' }],
    ['# KEY=1', {}],
    ['', {}],
    ['A=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['A="one\ntwo"\nB=2', { A: 'one\ntwo', B: '2' }],
    ['A="x" # c\nB=2', { A: 'x', B: '2' }],
    ['A=1\nA=2', { A: '2' }],
    ['A="1"', { A: '1' }],
    ['\uFEFFA=1', { A: '1' }],
  ])('%p', (source, expected) => {
    expect(Object.fromEntries(parseDotenv(source).values)).toEqual(expected)
    expect(parseDotenv(source).brokenLines).toEqual([])
  })
})

test('lines that make no sense are reported by number and passed over', () => {
  const { values, brokenLines } = parseDotenv('A=1\nnonsense\n\n1B=2\nC="open\nD="x" y\nE=5')
  expect(Object.fromEntries(values)).toEqual({ A: '1', E: '5' })
  expect(brokenLines).toEqual([2, 4, 5, 6])
})

test('a folder of this name is no .env of ours', async () => {
  const { config, warnings } = await tryConfig({ files: { '.env/': '' } })
  expect(config.port).toBe(11_435)
  expect(warnings.join()).toContain('must be a regular file; it is ignored')
})
