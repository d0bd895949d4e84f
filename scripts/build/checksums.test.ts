import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { checksumLines } from './checksums.ts'
import { temporaryFolder } from './testing/folder.ts'

const check = (folder: string) => Bun.spawnSync(['sha256sum', '-c', '--strict', 'SHA256SUMS'], { cwd: folder, timeout: 20_000 }).exitCode

test('sha256sum reads them, and notices a byte that changed and a file that is gone', async () => {
  using folder = temporaryFolder()
  const path = (name: string) => join(folder.path, name)
  await Bun.write(path('one'), 'first')
  await Bun.write(path('two.exe'), new Uint8Array(1000).fill(255))
  await Bun.write(path('SHA256SUMS'), await checksumLines(folder.path, ['one', 'two.exe']))
  expect(check(folder.path)).toBe(0)
  await Bun.write(path('one'), 'First')
  expect(check(folder.path)).toBe(1)
  await Bun.write(path('one'), 'first')
  expect(check(folder.path)).toBe(0)
  await Bun.file(path('two.exe')).delete()
  expect(check(folder.path)).toBe(1)
})
