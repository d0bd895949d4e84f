import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findFaults } from './check.ts'
import { findSignatureFaults } from './macho/verify.ts'
import { type Target, targets } from './targets.ts'
import { dist, releaseWanted } from './testing/release.ts'

const of = (file: string) => targets.find(target => target.file === file) as Target

test('a set of eight, each for another machine', () => {
  expect(new Set(targets.map(({ machine }) => machine)).size).toBe(8)
  expect(new Set(targets.map(({ file }) => file)).size).toBe(8)
})

// without them there is nothing to look at: `npm run build:all` makes them, and CI has them made
describe.skipIf(!releaseWanted)('what npm run build:all left', () => {
  test('all eight are there, and SHA256SUMS has just them', () => {
    const listed = readFileSync(join(dist, 'SHA256SUMS'), 'utf8')
      .trim()
      .split('\n')
      .map(line => line.split('  ')[1] as string)
    expect(listed).toEqual(targets.map(({ file }) => file))
    expect(targets.filter(({ file }) => !existsSync(join(dist, file)))).toEqual([])
  })

  test.each([...targets])('$file is for $machine', target => {
    expect(findFaults(join(dist, target.file), target)).toEqual([])
  })

  test('a file for another machine is noticed', () => {
    expect(findFaults(join(dist, 'gatehouse-linux-arm64'), of('gatehouse-linux-x64'))).toEqual([
      'it is for elf-arm64-glibc, not for elf-x64-glibc',
    ])
    expect(findFaults(join(dist, 'gatehouse-linux-x64'), of('gatehouse-linux-x64-musl'))).toHaveLength(1)
    expect(findFaults(join(dist, 'gatehouse-darwin-arm64'), of('gatehouse-darwin-x64'))).toHaveLength(1)
  })

  test.each(['gatehouse-darwin-x64', 'gatehouse-darwin-arm64'])('a flipped byte in %s is noticed', file => {
    const bytes = readFileSync(join(dist, file))
    const middle = bytes.length >> 1
    bytes[middle] = (bytes[middle] as number) ^ 1
    expect(findSignatureFaults(bytes).join()).toContain('1 of ')
  })
})
