import { expect, test } from 'bun:test'
import { randomOf } from '../testing/random.ts'
import { type Blocks, costOf, createBlocks } from './blocks.ts'
import { blockBytes, blockCost, noBlock, slabCost } from './slabs.ts'

const read = (blocks: Blocks, first: number, from: number, length: number) => {
  const bytes = Buffer.alloc(length)
  blocks.read(first, from, length, bytes)
  return bytes
}

function chainOf(blocks: Blocks, first: number): number[] {
  const chain: number[] = []
  for (let block = first; block !== noBlock; block = blocks.next(block)) chain.push(block)
  return chain
}

test('reads any part of what was written, and says where the bytes behind it are', () => {
  const blocks = createBlocks()
  const bytes = Buffer.from(Array.from({ length: 3 * blockBytes + 100 }, (_, i) => i % 251))
  const first = blocks.write([bytes.subarray(0, 700), Buffer.alloc(0), bytes.subarray(700)])
  const chain = chainOf(blocks, first)
  expect(chain.length).toBe(4)
  for (const from of [0, 1, 511, 512, 513, 1024, 1600]) {
    for (const length of [0, 1, 10, 511, 512, 513, bytes.length - from].filter(wanted => from + wanted <= bytes.length)) {
      const to = Buffer.alloc(length)
      const block = blocks.read(first, from, length, to)
      expect(to.equals(bytes.subarray(from, from + length))).toBe(true)
      expect(block).toBe(chain[Math.floor((from + length) / blockBytes)] as number)
    }
  }
})

test('nothing written is no block, and costs nothing', () => {
  const blocks = createBlocks()
  expect(blocks.write([])).toBe(noBlock)
  expect(blocks.write([Buffer.alloc(0)])).toBe(noBlock)
  expect(blocks.free(noBlock)).toBe(noBlock)
  blocks.pack(move => expect(move(noBlock)).toBe(noBlock))
  expect([blocks.taken, blocks.held, costOf(0)]).toEqual([0, 0, 0])
})

test('random writes, frees and packs: no block in two chains, none lost, no byte moved wrongly', () => {
  const blocks = createBlocks()
  const random = randomOf(11)
  const chains: { first: number; bytes: Buffer; from: number }[] = []
  const check = () => {
    const all = chains.flatMap(({ first }) => chainOf(blocks, first))
    expect(new Set(all).size).toBe(all.length)
    expect(blocks.taken).toBe(all.length)
    for (const { first, bytes, from } of chains) {
      expect(read(blocks, first, 0, bytes.length - from).equals(bytes.subarray(from))).toBe(true)
    }
  }
  for (let round = 0; round < 60; round++) {
    const growing = round % 20 < 10
    for (let i = 0; i < 100; i++) {
      if (random() < (growing ? 0.7 : 0.2)) {
        const seed = Math.floor(random() * 251)
        const bytes = Buffer.from(Array.from({ length: Math.floor(random() ** 2 * 30_000) }, (_, at) => (at * 7 + seed) % 251))
        chains.push({ first: blocks.write([bytes]), bytes, from: 0 })
      } else if (chains.length > 0) {
        const at = Math.floor(random() * chains.length)
        const chain = chains[at] as (typeof chains)[number]
        const some = Math.floor(random() * 4)
        if (random() < 0.3 && chain.bytes.length - chain.from > some * blockBytes) {
          chain.first = blocks.free(chain.first, some)
          chain.from += some * blockBytes
        } else {
          blocks.free(chain.first)
          chains.splice(at, 1)
        }
      }
    }
    check()
    if (round % 3 !== 2) continue
    const held = blocks.held
    blocks.pack(move => {
      for (const chain of chains) chain.first = move(chain.first)
    })
    expect(blocks.held).toBeLessThanOrEqual(held)
    expect(blocks.held).toBe(Math.ceil((blocks.taken * blockCost) / slabCost) * slabCost)
    check()
  }
  for (const { first } of chains) blocks.free(first)
  blocks.pack(() => {})
  expect([blocks.taken, blocks.held]).toEqual([0, 0])
})
