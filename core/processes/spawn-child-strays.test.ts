import { describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeMark, marked } from './mark.ts'
import { listProcesses, statOf } from './process-list.ts'
import { type ChildOptions, spawnChild } from './spawn-child.ts'
import { gone, isAlive, runner } from './testing/alive.ts'

const env = { PATH: process.env.PATH ?? '' }
/** Starts one with a session of its own, says its pid, and leaves it without a parent. */
const stray = `(setsid sleep 1000 & echo "stray $!")`
const deafStray = `(setsid sh -c 'trap "" TERM; echo "stray $$"; while :; do sleep 0.1; done' &)`
/** Goes on as soon as there is a file called `go`. */
const untilTold = 'while [ ! -e go ]; do sleep 0.02; done'
const stay = 'echo ready; exec sleep 1000'

async function run(script: string, options: Partial<ChildOptions> = {}) {
  const lines: string[] = []
  const child = await spawnChild({
    command: 'sh',
    args: ['-c', script],
    env,
    ...runner,
    onOutput: line => lines.push(line),
    ...options,
  })
  const until = async (pattern: RegExp) => {
    for (const deadline = performance.now() + 8_000; performance.now() < deadline; await Bun.sleep(5)) {
      const found = pattern.exec(lines.join('\n'))
      if (found) return Number(found[1])
    }
    throw new Error(`never came: ${pattern} in ${lines.join(' | ')}`)
  }
  return { child, lines, until }
}
const parentOf = (pid: number) => Number(statOf(pid)?.[1])
const groupOf = (pid: number) => Number(statOf(pid)?.[2])

describe.each([
  ['has a session of its own', stray],
  ['is deaf to SIGTERM too', deafStray],
])('a grandchild that %s', (_, script) => {
  test('is ended with the rest', async () => {
    const { child, until } = await run(`${script}; ${stay}`)
    const pid = await until(/stray (\d+)/)
    for (let i = 0; i < 500 && groupOf(pid) === groupOf(child.pid); i++) await Bun.sleep(10) // setsid is a program of its own
    expect(groupOf(pid)).not.toBe(groupOf(child.pid))
    await child.stop(300)
    expect(isAlive(pid)).toBe(false)
  })

  test('is ended when the program ends by itself', async () => {
    using folder = temporaryFolder()
    const { child, until } = await run(`${script}; ${untilTold}; exit 7`, { graceMs: 400, cwd: folder.path })
    const pid = await until(/stray (\d+)/)
    writeFileSync(join(folder.path, 'go'), '')
    expect(await child.exited).toEqual({ code: 7, signal: null })
    expect(isAlive(pid)).toBe(false)
  })

  test('is ended when the shim is killed, if it has a mark', async () => {
    const { child, until } = await run(`${script}; ${stay}`, { mark: makeMark() })
    const pid = await until(/stray (\d+)/)
    process.kill(parentOf(child.pid), 'SIGKILL')
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' })
    expect([child.pid, pid].filter(isAlive)).toEqual([])
  })

  test('is ended when the house is killed', async () => {
    const house = Bun.spawn([process.execPath, join(import.meta.dir, 'testing', 'parent.ts'), `${script}; ${stay}`], { stdout: 'pipe' })
    let said = ''
    for await (const bytes of house.stdout) {
      said += new TextDecoder().decode(bytes)
      if (/stray \d+\n/.test(said) && /^child \d+\n/m.test(said)) break
    }
    const pids = [Number(/^child (\d+)/m.exec(said)?.[1]), Number(/stray (\d+)/.exec(said)?.[1])]
    expect(pids.map(isAlive)).toEqual([true, true])
    house.kill('SIGKILL')
    await gone(pids, 2_000) // the grace of that house is one second
  })
})

test('the end of the program is told before what it has left behind is gone', async () => {
  using folder = temporaryFolder()
  const { child, until } = await run(`${deafStray}; ${untilTold}; exit 3`, { graceMs: 60_000, cwd: folder.path })
  const pid = await until(/stray (\d+)/)
  writeFileSync(join(folder.path, 'go'), '')
  expect(await child.ended).toEqual({ code: 3, signal: null })
  expect(isAlive(pid)).toBe(true)
  process.kill(pid, 'SIGKILL')
  expect(await child.exited).toEqual({ code: 3, signal: null })
})

test('the family is all of them, and nobody once they are gone', async () => {
  const { child, until } = await run(`${stray}; sleep 1000 & ${stay}`)
  const pid = await until(/stray (\d+)/)
  await until(/(ready)/)
  const family = child.family()
  expect(family).toContain(child.pid)
  expect(family).toContain(pid)
  expect(family).not.toContain(parentOf(child.pid)) // the shim
  expect(family).toHaveLength(3)
  await child.stop(5_000)
  expect(child.family()).toEqual([])
})

test('those who lost their parents are collected when they have ended', async () => {
  const { child, until } = await run(`for i in 1 2 3; do setsid sh -c '(sleep 0.2) &' & done; wait; ${stay}`)
  await until(/(ready)/)
  const shim = parentOf(child.pid)
  const dead = () => listProcesses().filter(({ parent, living }) => parent === shim && !living).length
  for (let i = 0; i < 200 && dead() < 3; i++) await Bun.sleep(10)
  expect(dead()).toBe(3)
  for (let i = 0; i < 500 && dead() > 0; i++) await Bun.sleep(10)
  expect(dead()).toBe(0)
  expect(isAlive(child.pid)).toBe(true)
  await child.stop(5_000)
  expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' })
})

test('a mark is all that is added to the environment', async () => {
  const mark = makeMark()
  const { child, lines } = await run('env', { mark })
  await child.exited
  expect(lines.filter(line => !/^(PWD|_|PATH)=/.test(line))).toEqual([`GATEHOUSE_CHILD=${mark}`])
})

test('a shim that hangs before it says anything is given up, and what it has started is ended', async () => {
  const mark = makeMark()
  // instead of the shim, somebody who starts a program and is silent
  const hangs = ['sh', '-c', `GATEHOUSE_CHILD=${mark} setsid sleep 1000 & exec sleep 1000`, 'shim']
  const started = spawnChild({ command: 'true', env, mark, runner: hangs, startMs: 300 })
  await expect(started).rejects.toThrow('the command "true" could not be started: its shim did not say within 0.3 s that it runs')
  expect(marked(mark, listProcesses())).toEqual([])
})

describe('a stop command', () => {
  test('ends the program before any signal', async () => {
    using folder = temporaryFolder()
    const waits = `trap 'echo by signal; exit 9' TERM; echo ready; while [ ! -e stop ]; do sleep 0.02; done; exit 4`
    const stop = { command: 'touch', args: ['stop'] }
    const { child, until } = await run(waits, { stop, cwd: folder.path })
    await until(/(ready)/)
    await child.stop(8_000)
    expect(await child.exited).toEqual({ code: 4, signal: null })
  })

  test('that does not help is followed by the signals', async () => {
    const { child, until } = await run(`echo "ready $$"; exec sleep 1000`, { stop: { command: 'sleep', args: ['1000'] } })
    const pid = await until(/ready (\d+)/)
    const before = performance.now()
    const stopped = child.stop(600)
    for (let i = 0; i < 100 && child.family().length < 2; i++) await Bun.sleep(1)
    expect(child.family()).toHaveLength(2) // the command is still at it
    await stopped
    expect(performance.now() - before).toBeGreaterThanOrEqual(300)
    expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' })
    expect(isAlive(pid)).toBe(false)
  })

  test('that fails is not waited for', async () => {
    const { child, until } = await run(stay, { stop: { command: 'false' } })
    await until(/(ready)/)
    const before = performance.now()
    await child.stop(20_000)
    expect(performance.now() - before).toBeLessThan(15_000)
  })

  test('that is nowhere to be found keeps the program from being started', async () => {
    await expect(run(stay, { stop: { command: 'no-such-program' } })).rejects.toThrow('the command "no-such-program" was not found')
  })

  test('is run when the house is killed, too', async () => {
    using folder = temporaryFolder()
    const parent = join(import.meta.dir, 'testing', 'parent.ts')
    const house = Bun.spawn([process.execPath, parent, stay, 'touch', join(folder.path, 'asked')], { stdout: 'pipe' })
    for await (const bytes of house.stdout) if (new TextDecoder().decode(bytes).includes('child')) break
    house.kill('SIGKILL')
    for (let i = 0; i < 500 && !existsSync(join(folder.path, 'asked')); i++) await Bun.sleep(10)
    expect(existsSync(join(folder.path, 'asked'))).toBe(true)
  })
})

function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}
