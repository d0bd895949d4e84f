import { expect, test } from 'bun:test'
import { carriersOfPs, makeMark, marked, withMark } from './mark.ts'
import { startOf, startOfPs } from './process-identity.ts'
import { descendantsOf, listOfKernel, listOfPs, listProcesses, type ProcessEntry } from './process-list.ts'
import { kilobytesOfTasklist, memoryOf, memoryOfPs } from './process-memory.ts'

/** A shell with a child of its own, and their pids. */
async function family(env: Record<string, string> = {}) {
  const shell = Bun.spawn(['sh', '-c', 'sleep 1000 & echo $!; wait'], { stdout: 'pipe', env: { PATH: process.env.PATH ?? '', ...env } })
  const { value } = await shell.stdout.getReader().read()
  const child = Number(new TextDecoder().decode(value))
  return {
    shell: shell.pid,
    child,
    async [Symbol.asyncDispose]() {
      for (const pid of [child, shell.pid]) process.kill(pid, 'SIGKILL')
      await shell.exited
    },
  }
}
const pick = (all: readonly ProcessEntry[], pids: readonly number[]) =>
  all.filter(({ pid }) => pids.includes(pid)).sort((a, b) => a.pid - b.pid)

test('both lists tell the same', async () => {
  await using they = await family()
  const pids = [process.pid, they.shell, they.child]
  const [kernel, ps] = [pick(listOfKernel() ?? [], pids), pick(listOfPs(), pids)]
  expect(ps).toHaveLength(3)
  if (process.platform === 'linux') expect(kernel).toEqual(ps)
  expect(ps.find(({ pid }) => pid === they.child)?.parent).toBe(they.shell)
})

test('a zombie does not live', async () => {
  const child = Bun.spawn(['sh', '-c', 'true & exec sleep 1000'])
  const zombie = () => listProcesses().find(({ parent, living }) => parent === child.pid && !living)
  for (let i = 0; i < 500 && !zombie(); i++) await Bun.sleep(10)
  expect(zombie()).toBeDefined()
  child.kill()
  await child.exited
})

test('descendants are children and theirs, in any order of birth', () => {
  const entry = (pid: number, parent: number) => ({ pid, parent, group: 1, living: true })
  const all = [entry(5, 9), entry(9, 2), entry(2, 1), entry(3, 1), entry(4, 3), entry(7, 7)]
  expect(descendantsOf(2, all).map(({ pid }) => pid)).toEqual([9, 5])
  expect(descendantsOf(8, all)).toEqual([])
})

test('a start names one process, and is known while it lives only', async () => {
  let gone: number
  {
    await using they = await family()
    gone = they.shell
    const [own, first, second] = [startOf(process.pid), startOf(they.shell), startOf(they.shell)]
    expect(first).toBeDefined()
    expect(first).toBe(second as string)
    expect(first).not.toBe(own as string)
    expect(startOfPs(they.shell)).toMatch(/^\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}$/)
  }
  expect(startOf(gone)).toBeUndefined()
  expect(startOfPs(gone)).toBeUndefined()
})

test('a mark finds those who carry it, and nobody else', async () => {
  const mark = makeMark()
  await using they = await family(withMark({}, mark))
  await using others = await family(withMark({}, makeMark()))
  const found = marked(mark, listProcesses()).map(({ pid }) => pid)
  expect(found.sort()).toEqual([they.shell, they.child].sort())
  expect(found).not.toContain(others.child)
  // as on macOS, but Linux has other letters for it
  if (process.platform === 'linux') expect([...carriersOfPs(mark, 'axeww')].sort()).toEqual([they.shell, they.child].sort())
})

test('memory is that of the whole family, by either way', async () => {
  await using they = await family()
  const each = await Promise.all([they.shell, they.child].map(pid => memoryOf([pid])))
  const both = (await memoryOf([they.shell, they.child])) as number
  // they have only just begun, and the kernel counts in batches of pages
  const doubt = 1.2
  for (const one of each) expect(both * doubt).toBeGreaterThanOrEqual(one as number)
  expect(both).toBeLessThanOrEqual(each.reduce((sum: number, one) => sum + (one as number), 0) * doubt)
  expect(await memoryOfPs([they.shell])).toBeGreaterThan(100_000)
  expect(await memoryOf([])).toBeUndefined()
  expect(await memoryOf([2 ** 22 + 1])).toBeUndefined()
})

test('memory that is held is seen', async () => {
  const script = 'const held = Buffer.alloc(64_000_000, 1); console.log(held.length); setInterval(() => held.length, 1000)'
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' })
  await child.stdout.getReader().read()
  expect(await memoryOf([child.pid])).toBeGreaterThan(64_000_000)
  expect(await memoryOfPs([child.pid])).toBeGreaterThan(64_000_000)
  child.kill()
  await child.exited
})

test.each([
  ['"llama-server.exe","4711","Console","1","1,234,567 K"', 1_234_567],
  ['"llama-server.exe","4711","Console","1","1.234.567 K"\r\n', 1_234_567],
  ['"llama-server.exe","4711","Console","1","1\u00a0234 Ko"', 1_234],
  ['INFO: No tasks are running which match the specified criteria.', Number.NaN],
  ['', Number.NaN],
])('Windows says %s', (line, kilobytes) => {
  expect(kilobytesOfTasklist(line)).toBe(kilobytes)
})
