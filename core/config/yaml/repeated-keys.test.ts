import { describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { examples } from '../compat/testing.ts'
import { formatPath } from '../tree.ts'
import { complaints, tryConfig } from '../try-config.ts'
import { repeatedKeys } from './repeated-keys.ts'
import { randomYaml } from './testing/random-yaml.ts'

const find = (text: string) => repeatedKeys(text).map(({ path, first, again }) => `${formatPath(path)} ${first} ${again}`)

describe('a key that is there twice', () => {
  test.each<[string, string[]]>([
    ['port: 1\nhost: a\nport: 2', ['port 1 3']],
    ['a: 1\na: 2\na: 3', ['a 1 2', 'a 1 3']],
    ['a: 1\r\nb:\r\n  c: 1\r\n  c: 2', ['b.c 3 4']],
    ['\uFEFFa: 1\na: 2', ['a 1 2']],
    ['a: 1\n"a": 2\n\'a\': 3', ['a 1 2', 'a 1 3']],
    ['1: a\n"1": b', ['1 1 2']],
    ['"a\\u0062": 1\nab: 2', ['ab 1 2']],
    ["'it''s': 1\n\"it's\": 2", ['"it\'s" 1 2']],
    ['a b: 1\na b : 2', ['"a b" 1 2']],
    ['a:\n  b: 1\n  c: 2\n  b: 3', ['a.b 2 4']],
    ['a:\n  b:\n    c: 1\n  b: 2', ['a.b 2 4']],
    ['a:\n- x: 1\n  x: 2\nb: 1', ['a[0].x 2 3']],
    ['a:\n  - x: 1\n  -\n    y: 1\n    y: 2', ['a[1].y 4 5']],
    ['- - a: 1\n    a: 2', ['[0][0].a 1 2']],
    ['a: { b: 1, b: 2 }', ['a.b 1 1']],
    ['a: [x, { b: 1,\n  c: [{d: 1}], # why\n  b: 2 }]', ['a[1].b 1 3']],
    ['{"a":1,"b":{"c":"}","c":[]}}', ['b.c 1 1']],
    ['a: &x\n  b: 1\n  b: 2\nc: *x', ['a.b 2 3']],
    ['&k a: 1\n!!str a: 2', ['a 1 2']],
    ['a: |\n  text\n  a: 1\na: 2', ['a 1 4']],
    ['a: text\n  more\n\n  and more\na: 2', ['a 1 5']],
    ['a: "text\n  a: 1"\na: 2', ['a 1 3']],
    ['%YAML 1.2\n---\na: 1\na: 2\n...', ['a 3 4']],
    ['a: 1\n# a: 2\n\n  # a: 3\na: 4', ['a 1 5']],
    ['a:\nb: 1\na:', ['a 1 3']],
    ['a: [b: 1, {c: 1, c}]', ['a[1].c 1 1']],
    ['a: {"b":1,\'b\':2}', ['a.b 1 1']],
    ['a:\n  |\n  a: 1\n  a: 2\na: 3', ['a 1 5']],
  ])('%p', (text, found) => {
    expect(Bun.YAML.parse(text)).toBeDefined()
    expect(find(text)).toEqual(found)
  })
})

describe('what is no key that is there twice', () => {
  test.each([
    '',
    '# nothing\n',
    'just text',
    'a: { b: 1 }\nc: { b: 1 }',
    'a:\n  b: 1\nb: 2',
    'models:\n  - name: a\n    path: x\n  - name: b\n    path: y\n',
    'models:\n- name: a\n  path: x\n- name: b\nname: c',
    '- - a: 1\n  - a: 2\n- a: 3',
    'a: [{ b: 1 }, { b: 1 }, b: 1, b: 2]',
    'a: |\n  b: 1\n  b: 2\n\n  b: 3\nc: >-\n   b: 1\n   b: 2\n   # b: 3\n',
    'a:\n  - |\n    b: 1\n    b: 2\n  - >+\n\n    b: 1\n\n',
    'a: |2\n    b: 1\n  b: 2\nb: 3',
    '--- |\n  a: 1\n  a: 2\n',
    'a: "b: 1\n  b: 2\n  b: 3"\nc: \'b: 1\n\n  b: 2\'',
    'a: b # b: 1\nb: 1 # a: 2',
    'a: http://h:1/a\nb: c#a:1',
    'base: &base { a: 1 }\nx: { <<: *base, a: 2 }\ny:\n  <<: *base\n  a: 3',
    'x:\n  <<: { a: 1 }\n  <<: { b: 2 }',
    'a: &b 1\nb: *b\nc: &d\n  a: 1\nd: !!map\n  a: 1',
    'a: [[{ b: 1 }], "b: 1, b: 2", \'}\', b]\nc: {}',
    'a:\tb\nc:\ta',
    'a:b: 1\na: 2',
    'a: 1\n---\na: 2',
    'a: -x\nb: -1',
    'a: text\n  - b\n  - b\nc: 1',
    'A: 1\na: 2',
    '__proto__: 1\nconstructor: 2\ntoString: 3',
    'a: {u: http://h:1/, v: "http://h:2/"}',
  ])('%p', text => {
    expect(() => Bun.YAML.parse(text)).not.toThrow()
    expect(find(text)).toEqual([])
  })

  const folder = join(import.meta.dir, '..', '..', '..', 'examples')
  const shipped = readdirSync(folder)
    .map(name => join(folder, name, 'gatehouse.yaml'))
    .filter(path => Bun.file(path).size > 0)
  test('examples', async () => {
    const texts = await Promise.all([...shipped, join(import.meta.dir, '..', 'handbook.example.yaml')].map(path => Bun.file(path).text()))
    expect(texts.length).toBeGreaterThan(3)
    for (const text of texts) expect(find(text)).toEqual([])
    for (const { place, text } of examples) if (place !== '.env') expect(find(text)).toEqual([])
  })
})

describe('a text that is written in every way YAML has', () => {
  const seeds = Array.from({ length: 400 }, (_, seed) => seed + 1)

  test('has no repeated keys when its object has none', () => {
    for (const seed of seeds) {
      const { text, value } = randomYaml(seed)
      expect([seed, text, Bun.YAML.parse(text)]).toEqual([seed, text, value])
      expect([seed, text, find(text)]).toEqual([seed, text, []])
    }
  })

  test('has the one that was written twice', () => {
    let written = 0
    for (const seed of seeds) {
      const { text, repeated } = randomYaml(seed, true)
      expect(() => Bun.YAML.parse(text)).not.toThrow()
      const found = repeatedKeys(text).map(({ path }) => formatPath(path))
      expect([seed, text, found]).toEqual([seed, text, repeated ? [formatPath(repeated)] : []])
      written += repeated ? 1 : 0
    }
    expect(written).toBeGreaterThan(300)
  })
})

test('nesting without an end is no endless work', () => {
  expect(find(`a: ${'['.repeat(2000)}${']'.repeat(2000)}\na: 1`)).toEqual([])
  expect(find(`${'- '.repeat(5000)}x`)).toEqual([])
})

describe('in a config', () => {
  test('it is a mistake, told with both lines, beside the other mistakes', async () => {
    const text = 'port: 1\nhost: x\nbackends:\n  a: { type: echo, type: vllm }\nport: 2\n'
    expect(await complaints({ files: { 'gatehouse.yaml': text } })).toEqual([
      'CWD/gatehouse.yaml: backends.a.type: stands in line 4 twice; keep one of them',
      'CWD/gatehouse.yaml: port: stands in line 1 and again in line 5; keep one of them',
      expect.stringContaining('CWD/gatehouse.yaml: host: must be an IP address'),
      expect.stringContaining('CWD/gatehouse.yaml: backends.a.base_url: is missing'),
    ])
  })

  test.each(['llamagate.yaml', 'llamagate.json', 'configs/config.yaml'])('%s of an older gateway too', async name => {
    const text = name.endsWith('yaml') ? 'rate_limit: { rpm: 1 }\nrate_limit: { rpm: 2 }' : '{"port": 1,\n"port": 2}'
    expect(await complaints({ files: { [name]: text } })).toEqual([
      expect.stringMatching(/^CWD\/.*: (rate_limit|port): stands in line 1 and again in line 2; keep one of them$/),
    ])
  })

  test('a file of another program is still passed over', async () => {
    const { file } = await tryConfig({ files: { 'config.yaml': 'a: 1\na: 2' } })
    expect(file).toBeUndefined()
  })

  test('a variable between braces is no mapping', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax under test
    const text = 'backends: { a: { type: openai, api_key: ${K}, headers: { x: ${K}, y: ${K} } } }'
    expect(await complaints({ files: { 'gatehouse.yaml': text }, env: { K: 'k' } })).toEqual([])
  })
})
