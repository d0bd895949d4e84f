import { expect, test } from 'bun:test'
import { seededRandom } from '../../core/testing/random.ts'
import { createCallDeltas } from './call-deltas.ts'
import { createCatalogue } from './catalogue.ts'
import type { JsonObject } from './json.ts'

const ours = ['mcp__fake__echo', 'mcp.fake.echo', 'mcp__gone__x']
const theirs = ['mine', 'm', 'mcp_mine', 'mcp__theirs__x', 'read_file']
const offer = {
  tools: createCatalogue([{ server: 'fake', name: 'echo' }]),
  client: { own: [{}], names: new Set(theirs), references: [] },
}

type Piece = JsonObject & {
  readonly index: number
  readonly id?: string
  readonly function: { readonly name?: string; readonly arguments?: string }
}

test('however calls are mixed and cut, each gets to the one who runs it, whole and in order', () => {
  for (let seed = 0; seed < 3000; seed++) {
    const random = seededRandom(seed)
    const pick = (most: number) => Math.floor(random() * most)
    const cut = (text: string) => (text.length < 2 || random() < 0.5 ? [text] : split(text, 1 + pick(text.length - 1)))
    const made = Array.from({ length: pick(6) }, (_, index) => ({
      index,
      id: `call_${index}`,
      name: (random() < 0.5 ? ours[pick(ours.length)] : theirs[pick(theirs.length)]) as string,
      args: random() < 0.3 ? '' : JSON.stringify({ text: 'x'.repeat(pick(5)) }),
    }))
    const deltas = made.flatMap(({ index, id, name, args }): Piece[] => {
      const names = cut(name).map((piece, at) => ({ index, ...(at === 0 && { id, type: 'function' }), function: { name: piece } }))
      return [...names, ...(args === '' ? [] : cut(args)).map(piece => ({ index, function: { arguments: piece } }))]
    })
    const calls = createCallDeltas(offer)
    const passed: Piece[] = []
    for (let at = 0; at < deltas.length; ) {
      const count = 1 + pick(3)
      passed.push(...(calls.take(deltas.slice(at, at + count)) as readonly Piece[]))
      at += count
    }
    passed.push(...(calls.finish() as readonly Piece[]))
    const got = new Map<number, { id: string; name: string; args: string }>()
    for (const {
      index,
      id = '',
      function: { name = '', arguments: args = '' },
    } of passed) {
      const before = got.get(index) ?? { id: '', name: '', args: '' }
      got.set(index, { id: before.id + id, name: before.name + name, args: before.args + args })
    }
    const wanted = made.filter(({ name }) => theirs.includes(name)).map(({ id, name, args }) => ({ id, name, args }))
    expect([seed, [...got.keys()], [...got.values()]]).toEqual([seed, wanted.map((_, place) => place), wanted])
    expect(calls.theirs).toBe(wanted.length)
    const run = made
      .filter(({ name }) => ours.includes(name))
      .map(({ id, name, args }) => ({ id, type: 'function', function: { name, arguments: args } }))
    expect([seed, calls.ours]).toEqual([seed, run])
  }
})

const split = (text: string, at: number): string[] => [text.slice(0, at), text.slice(at)]
