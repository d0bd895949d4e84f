import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FileWatch, watchFiles } from './watch-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-watch-'))
const at = (name: string) => join(folder, name)
let watch: FileWatch | undefined
afterEach(() => watch?.close())

/** Watches `paths`; `told` resolves at the next notice. */
async function watching(...paths: string[]) {
  let wake = () => {}
  let count = 0
  watch = watchFiles(paths, {
    everyMs: 5,
    onChange() {
      count++
      wake()
    },
  })
  await watch.ready
  return {
    get count() {
      return count
    },
    told: () => new Promise<void>(resolve => (wake = resolve)),
  }
}

test.each([
  ['a file that is written to', () => writeFileSync(at('a'), 'more than before')],
  [
    'a file that is replaced',
    () => {
      writeFileSync(at('b'), 'as long')
      renameSync(at('b'), at('a'))
    },
  ],
  ['a file that goes', () => unlinkSync(at('a'))],
  ['a file that comes', () => writeFileSync(at('new'), '')],
])('%s is told once', async (_, change) => {
  writeFileSync(at('a'), 'as long')
  rmSync(at('new'), { force: true })
  const seen = await watching(at('a'), at('new'))
  const told = seen.told()
  change()
  await told
  await Bun.sleep(50)
  expect(seen.count).toBe(1)
})

test('a link that points elsewhere is told', async () => {
  writeFileSync(at('one'), '1')
  writeFileSync(at('two'), '2')
  symlinkSync(at('one'), at('link'))
  const seen = await watching(at('link'))
  const told = seen.told()
  symlinkSync(at('two'), at('link.new'))
  renameSync(at('link.new'), at('link'))
  await told
})

test('after another list of files, those count: the new ones are told of once, the old ones no more', async () => {
  writeFileSync(at('x'), '')
  writeFileSync(at('y'), '')
  const seen = await watching(at('x'))
  const first = seen.told()
  watch?.watch([at('y')])
  await first
  writeFileSync(at('x'), 'changed')
  await Bun.sleep(50)
  expect(seen.count).toBe(1)
  const told = seen.told()
  writeFileSync(at('y'), 'changed')
  await told
})

test('a file that never stays still is told all the same', async () => {
  writeFileSync(at('a'), '')
  const seen = await watching(at('a'))
  const told = seen.told()
  let count = 0
  const writing = setInterval(() => writeFileSync(at('a'), `${count++}`), 2)
  await told
  clearInterval(writing)
})

test('an edit that keeps size and time is told', async () => {
  writeFileSync(at('a'), 'one')
  const { atime, mtime } = statSync(at('a'))
  const seen = await watching(at('a'))
  const told = seen.told()
  writeFileSync(at('a'), 'two')
  utimesSync(at('a'), atime, mtime)
  await told
})
