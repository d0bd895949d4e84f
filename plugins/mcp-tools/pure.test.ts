import { describe, expect, test } from 'bun:test'
import { GatewayError } from 'gatehouse'
import { createAbilities } from './abilities.ts'
import { createCatalogue, followHouse } from './catalogue.ts'
import { compileGlob } from './glob.ts'
import { createGrants } from './grants.ts'
import { readDocumentedName, seenName } from './names.ts'
import { readResult } from './result.ts'
import { createArgumentCheck } from './schema.ts'
import type { HouseTool } from './tool-house.ts'
import { truncate } from './truncate.ts'
import { addUsage } from './usage-sum.ts'

describe('globs, as LlamaGate has them', () => {
  test.each([
    ['mcp.files.*', ['mcp.files.read', 'mcp.files.a.b/c', 'mcp.files.'], ['mcp.file.read', 'xmcp.files.read', 'mcp.filesXread']],
    ['*', ['', 'mcp.a.b'], []],
    ['mcp.?.x', ['mcp.é.x', 'mcp.🙂.x'], ['mcp..x', 'mcp.ab.x']],
    ['mcp.{a,b*}.{c,d}', ['mcp.a.c', 'mcp.bxy.d'], ['mcp.c.c', 'mcp.a.e', 'mcp.{a,b*}.c']],
    ['{a,{b,c}d}', ['a', 'bd', 'cd'], ['b', 'ad']],
    ['{,x}a', ['a', 'xa'], ['ya']],
    ['[ab].[!a-c]', ['a.d', 'b.!'], ['c.d', 'a.b', 'a.']],
    ['[]a]', [']', 'a'], ['b']],
    ['a\\*b\\[', ['a*b['], ['axb[', 'a\\*b[']],
    ['a**b', ['ab', 'axb'], ['a']],
    ['🙂*', ['🙂', '🙂x'], ['x']],
  ])('%s', (pattern, fitting, others) => {
    for (const text of fitting) expect([text, compileGlob(pattern)(text)]).toEqual([text, true])
    for (const text of others) expect([text, compileGlob(pattern)(text)]).toEqual([text, false])
  })

  test.each(['[', '[a', 'a{b', 'a}', '{a,b', '{1,2}'.repeat(9)])('%s is none', pattern => {
    expect(() => compileGlob(pattern)).toThrow('pattern')
  })

  test('nobody can make one that takes long', () => {
    const begun = performance.now()
    expect(compileGlob(`${'*a'.repeat(500)}b`)('a'.repeat(5000))).toBe(false)
    expect(performance.now() - begun).toBeLessThan(2000)
  })
})

describe('names', () => {
  const tools = (...names: (readonly [string, string])[]): HouseTool[] => names.map(([server, name]) => ({ server, name }))

  test('what models see follows the rule, and leads back', () => {
    const odd = tools(
      ['files', 'read'],
      ['files', 'read.all'],
      ['files', 'read/all'],
      ['files', 'read_all'],
      ['s'.repeat(70), 'x'.repeat(200)],
      ['f', 'ü 🙂'],
      ['a', 'b__c'],
      ['a__b', 'c'],
      ['a_', '_b'],
      ['a', '__b'],
    )
    const catalogue = createCatalogue(odd)
    const seen = catalogue.tools.map(tool => tool.seen)
    for (const name of seen) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
    expect(new Set(seen).size).toBe(odd.length)
    for (const tool of catalogue.tools) {
      expect(catalogue.find(tool.seen)).toBe(tool)
      expect(catalogue.find(tool.documented)).toBe(tool)
    }
    expect(seen).toContain('mcp__files__read')
    expect(readDocumentedName('mcp.files.read.all')).toEqual({ server: 'files', tool: 'read.all' })
  })

  test('they depend neither on the order nor on the other tools', () => {
    const all = tools(['b', 'x.y'], ['a', 'z'], ['a', 'y'])
    const names = (list: HouseTool[]) => createCatalogue(list).tools.map(({ seen }) => seen)
    expect(names(all)).toEqual(names(all.toReversed()))
    expect(names([all[0] as HouseTool])).toEqual([names(all)[2] as string])
    expect(names(all).slice(0, 2)).toEqual(['mcp__a__y', 'mcp__a__z'])
  })

  test('a tool that takes the name another one gets by its hash', () => {
    const stolen = seenName('a_', 'x.y').replace('mcp__a___', '')
    const catalogue = createCatalogue(tools(['a_', 'x.y'], ['a', `_${stolen}`]))
    expect(new Set(catalogue.tools.map(({ seen }) => seen)).size).toBe(2)
    expect(catalogue.find(seenName('a_', 'x.y'))?.server).toBe('a')
  })

  test('two of the same name: the first', () => {
    const [first, second] = [
      { server: 'a', name: 'b', description: '1' },
      { server: 'a', name: 'b', description: '2' },
    ]
    expect(createCatalogue([first, second]).tools).toMatchObject([first])
  })

  test('the catalogue is made when the tools change, and not else', () => {
    let offered = tools(['a', 'b'])
    const catalogue = followHouse({ tools: () => offered })
    const before = catalogue()
    expect(catalogue()).toBe(before)
    offered = tools(['a', 'c'])
    expect(catalogue().find('mcp.a.c')).toBeDefined()
    expect(catalogue().find('mcp.a.b')).toBeUndefined()
  })

  test('schemas as all servers take them', () => {
    const [tool] = createCatalogue([{ server: 'a', name: 'b', inputSchema: { $schema: 'x', required: ['q'] } }]).tools
    expect(tool?.definition).toEqual({
      type: 'function',
      function: { name: 'mcp__a__b', parameters: { type: 'object', required: ['q'], properties: {} } },
    })
  })
})

describe('grants', () => {
  const open = { id: 'open', kind: 'open' } as const
  test('a pattern that is none stops the start and names the setting', () => {
    expect(() => createGrants({ allow_tools: [], deny_tools: ['mcp.['] })).toThrow('mcp.deny_tools: the pattern mcp.[ ')
  })

  test('the fingerprint is another one when a description is', () => {
    const grants = createGrants({ allow_tools: [], deny_tools: ['*.c'] })
    const of = (...tools: HouseTool[]) => grants.of(createCatalogue(tools), open).fingerprint
    const plain = of({ server: 'a', name: 'b' })
    expect(of({ server: 'a', name: 'b' }, { server: 'a', name: 'c' })).toBe(plain)
    expect(of({ server: 'a', name: 'b', description: 'x' })).not.toBe(plain)
    expect(of({ server: 'a', name: 'c' })).toBe('')
  })
})

describe('arguments', () => {
  const check = createArgumentCheck(() => {})
  test.each([
    [{ type: 'object', properties: { a: { type: 'integer', minimum: 3 } } }, { a: 1 }, 'arguments/a must be >= 3'],
    [
      { type: 'object', properties: { a: { enum: ['x', 'y'] } } },
      { a: 'z' },
      'arguments/a must be equal to one of the allowed values (x,y)',
    ],
    [{ type: 'object', additionalProperties: false }, { b: 1 }, "arguments must NOT have additional properties ('b')"],
    [
      { type: 'object', properties: { a: { $ref: '#/$defs/s' } }, $defs: { s: { type: 'string' } } },
      { a: 1 },
      'arguments/a must be string',
    ],
    [
      { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', properties: { a: { items: [{ type: 'string' }] } } },
      { a: [1] },
      'arguments/a/0 must be string',
    ],
    [{ type: 'object', properties: { a: { prefixItems: [{ type: 'string' }] } } }, { a: [1] }, 'arguments/a/0 must be string'],
    [{ type: 'object', properties: { a: { type: 'string', format: 'uri', 'x-own': 1 } } }, { a: 'no uri' }, undefined],
    [undefined, { a: 1 }, undefined],
  ])('%j', (schema, args, complaint) => {
    expect(check(schema, args)).toBe(complaint)
  })

  test('a schema that is none checks nothing, and is told of once; two with the same id are two', () => {
    const told: unknown[] = []
    const check = createArgumentCheck(error => told.push(error))
    const broken = { type: 'object', properties: { a: { $ref: 'nowhere#/x' } } }
    for (const _ of [1, 2]) expect(check(broken, { a: 1 })).toBeUndefined()
    expect(told).toHaveLength(1)
    for (const type of ['string', 'number']) check({ $id: 'same', properties: { a: { type } } }, {})
    expect(told).toHaveLength(1)
  })
})

describe('results', () => {
  test('are cut at a character, and at a line when one ends near', () => {
    expect(truncate('abc', 3)).toBe('abc')
    expect(truncate('🙂🙂', 7)).toBe('🙂\n... [truncated]')
    expect(truncate('🙂', 3)).toBe('\n... [truncated]')
    expect(truncate(`${'a'.repeat(95)}\n${'b'.repeat(50)}`, 100)).toBe(`${'a'.repeat(95)}\n... [truncated]`)
    expect(truncate(`${'a'.repeat(50)}\n${'b'.repeat(95)}`, 100)).toBe(`${'a'.repeat(50)}\n${'b'.repeat(49)}\n... [truncated]`)
  })

  test('what is no text is described; pictures are kept as long as they are not too large', () => {
    const image = { type: 'image', mimeType: 'image/png', data: 'iVBORw0KGgo=' }
    const content = [{ type: 'text', text: 'a' }, image, { type: 'odd', x: 1 }, { type: 'resource', resource: { uri: 'u', blob: 'AAAA' } }]
    const { text, pictures } = readResult({ content }, 1000)
    expect(text).toBe('a\n[image: image/png, 8 bytes]\n{"type":"odd","x":1}\n[resource: u, application/octet-stream, 3 bytes]')
    expect(pictures).toEqual([{ mimeType: 'image/png', data: image.data }])
    expect(readResult({ content }, 7).pictures).toEqual([])
    expect(readResult({ structuredContent: { a: 1 } }, 7).text).toBe('{"a":1}')
    expect(readResult({ content: [null, 5] as never }, 7).text).toBe('')
  })

  test('usage is added up, its details too', () => {
    const one = { prompt_tokens: 1, completion_tokens_details: { reasoning_tokens: 2 }, prompt_tokens_details: null }
    expect(
      addUsage(addUsage(undefined, one), {
        prompt_tokens: 10,
        completion_tokens_details: { reasoning_tokens: 20 },
        prompt_tokens_details: { cached_tokens: 5 },
      }),
    ).toEqual({
      prompt_tokens: 11,
      completion_tokens_details: { reasoning_tokens: 22 },
      prompt_tokens_details: { cached_tokens: 5 },
    })
  })
})

describe('what models refuse', () => {
  const refused = (message: string, status = 400) =>
    createAbilities().refusedTools(new GatewayError(status, 'invalid_request_error', null, message))
  test.each([
    'registry.ollama.ai/library/gemma:latest does not support tools',
    '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
    "Unsupported parameter: 'tools' is not supported with this model.",
    'tools is not supported in this model. For a list of supported models, refer to the documentation.',
    'No endpoints found that support tool use. Try disabling "x".',
    'This model does not support function calling',
  ])('%s', message => {
    expect(refused(message)).toBe(true)
  })
  test('other mistakes are told to the client', () => {
    for (const message of [
      'Invalid schema for function mcp__a__b',
      "Unknown parameter: 'toolz'",
      'messages with role tool must follow tool_calls',
    ])
      expect(refused(message)).toBe(false)
    expect(refused('x does not support tools', 429)).toBe(false)
  })
  test('a refusal is believed for five minutes', () => {
    let now = 0
    const abilities = createAbilities(() => now)
    abilities.notTools('m')
    expect([abilities.takesTools('m'), abilities.takesTools('n'), abilities.sees('m')]).toEqual([false, true, true])
    now = 5 * 60_000
    expect(abilities.takesTools('m')).toBe(true)
  })
})
