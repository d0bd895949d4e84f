import { describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChildOptions, spawnChild } from './spawn-child.ts'
import { gone, isAlive, runner } from './testing/alive.ts'

const env = { PATH: process.env.PATH ?? '' }
/** Starts a grandchild, says its pid, and stays. */
const family = 'sleep 1000 & echo "grandchild $!"; wait'
/** The same, deaf to SIGTERM, and so is what it starts. */
const deafFamily = `trap '' TERM; ${family}; sleep 1000`

/** Runs a shell script behind the shim and gathers what it writes. */
async function run(script: string, options: Partial<ChildOptions> = {}) {
  const lines: string[] = []
  const waiting = new Set<() => void>()
  const child = await spawnChild({
    command: 'sh',
    args: ['-c', script],
    env,
    ...runner,
    ...options,
    onOutput(line, from) {
      lines.push(`${from}: ${line}`)
      for (const look of waiting) look()
    },
  })
  const until = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`never came: ${pattern} in ${lines.join(' | ')}`)), 8_000)
      const look = () => {
        const match = lines.map(line => pattern.exec(line)).find(found => found !== null)
        if (!match) return
        clearTimeout(late)
        waiting.delete(look)
        resolve(match[1] ?? '')
      }
      waiting.add(look)
      look()
    })
  return { child, lines, until }
}

async function grandchildOf({ until }: Awaited<ReturnType<typeof run>>): Promise<number> {
  const pid = Number(await until(/grandchild (\d+)/))
  // a shell that has not become `sleep` yet still has the trap
  for (let i = 0; i < 500 && nameOf(pid) === 'sh'; i++) await Bun.sleep(10)
  return pid
}
function nameOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return undefined
  }
}
const parentOf = async (pid: number) => Number((await Bun.file(`/proc/${pid}/stat`).text()).split(' ')[3])

describe('a child', () => {
  test('delivers its output by lines, and how it ended', async () => {
    const { child, lines } = await run('echo one; echo two >&2; printf three; exit 7')
    expect(await child.exited).toEqual({ code: 7, signal: null })
    expect(lines.toSorted()).toEqual(['stderr: two', 'stdout: one', 'stdout: three'])
  })

  test('that a signal ended says which', async () => {
    const { child } = await run('kill -ABRT $$')
    expect(await child.exited).toEqual({ code: null, signal: 'SIGABRT' })
  })

  test('gets exactly the environment, the folder and the arguments it was given', async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gatehouse-')))
    const { child, lines } = await run('', {
      command: '/usr/bin/env',
      args: ['sh', '-c', 'pwd; echo "$1|$2"; env', 'sh', 'a b', '--help'],
      env: { PATH: env.PATH, ONLY: 'this = "that"' },
      cwd: folder,
    })
    await child.exited
    rmSync(folder, { recursive: true })
    const [where, args, ...variables] = lines.map(line => line.replace('stdout: ', ''))
    expect(where).toBe(folder)
    expect(args).toBe('a b|--help')
    // the shell sets the last two itself
    expect(variables.filter(line => !/^(PWD|_)=/.test(line)).toSorted()).toEqual([`ONLY=this = "that"`, `PATH=${env.PATH}`])
  })

  test('has no channel to us and no terminal to read from', async () => {
    const { child, lines } = await run('cat; ls /proc/self/fd | tr "\\n" " "; ps -o tty= -p $$')
    await child.exited
    expect(lines).toEqual(['stdout: 0 1 2 3 ?']) // 3 is the folder that ls itself reads
  })

  test.each([
    ['a name that is nowhere', 'no-such-program', 'the command "no-such-program" was not found'],
    ['a path that does not exist', './no-such-program', 'the command "./no-such-program" does not exist'],
    ['a file that is no program', import.meta.path, `the command "${import.meta.path}" may not be run`],
  ])('%s is refused with a sentence that names it', async (_, command, sentence) => {
    await expect(spawnChild({ command, env, ...runner })).rejects.toThrow(sentence)
  })

  test('that the system refuses to start is an error that names it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
    const file = join(folder, 'program')
    writeFileSync(file, '\x7fELF is all it has of a program', { mode: 0o755 })
    await expect(spawnChild({ command: file, env, ...runner })).rejects.toThrow(`the command "${file}" could not be started: `)
    await expect(run('true', { cwd: join(folder, 'missing') })).rejects.toThrow('the command "sh" could not be started: ')
    rmSync(folder, { recursive: true })
  })
})

describe('stop', () => {
  test('ends the child and what it has started, gently', async () => {
    const started = await run(`trap 'echo bye; exit 0' TERM; ${family}`)
    const grandchild = await grandchildOf(started)
    await started.child.stop(5_000)
    expect([started.child.pid, grandchild].filter(isAlive)).toEqual([])
    expect(started.lines).toContain('stdout: bye')
    expect(await started.child.exited).toEqual({ code: 0, signal: null })
  })

  test('gives a grandchild its time too, when the child has left before it', async () => {
    const script = `(trap 'sleep 0.3; echo late; exit 0' TERM; echo "grandchild $$"; while :; do sleep 0.05; done) & echo up; exec sleep 1000`
    const started = await run(script, { graceMs: 50 }) // which is for the case that we are gone
    await started.until(/(up)/)
    await started.until(/(grandchild)/)
    await started.child.stop(5_000)
    expect(started.lines).toContain('stdout: late')
  })

  test('kills who ignores it, after the grace', async () => {
    const started = await run(deafFamily)
    const grandchild = await grandchildOf(started)
    const before = performance.now()
    await started.child.stop(300)
    expect(performance.now() - before).toBeGreaterThanOrEqual(300)
    expect([started.child.pid, grandchild].filter(isAlive)).toEqual([])
    expect(await started.child.exited).toEqual({ code: null, signal: 'SIGKILL' })
  })

  test('twice is one stop, and after the end it is nothing', async () => {
    const { child } = await run('exec sleep 1000')
    await Promise.all([child.stop(5_000), child.stop(5_000)])
    await child.stop(5_000)
    expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' })
  })

  test('is hurried by another one with less time, and not slowed down by one with more', async () => {
    const started = await run(deafFamily)
    const grandchild = await grandchildOf(started)
    const before = performance.now()
    const stopped = [started.child.stop(60_000), started.child.stop(300), started.child.stop(60_000)]
    await Promise.all(stopped)
    expect(performance.now() - before).toBeLessThan(15_000)
    expect([started.child.pid, grandchild].filter(isAlive)).toEqual([])
  })

  test('reaches each of several children alone', async () => {
    const [one, two] = await Promise.all([run(family), run(family)])
    const [first, second] = await Promise.all([grandchildOf(one), grandchildOf(two)])
    await one.child.stop(5_000)
    expect([one.child.pid, first, two.child.pid, second].map(isAlive)).toEqual([false, false, true, true])
    await two.child.stop(5_000)
    await gone([second])
  })
})

describe('nobody outlives', () => {
  test('a child that ends by itself', async () => {
    const started = await run('sleep 1000 & echo "grandchild $!"; exit 0')
    const grandchild = await grandchildOf(started)
    expect(await started.child.exited).toEqual({ code: 0, signal: null })
    expect(isAlive(grandchild)).toBe(false)
  })

  test('a shim that is killed', async () => {
    const started = await run(deafFamily)
    const pids = [started.child.pid, await grandchildOf(started)]
    process.kill(await parentOf(started.child.pid), 'SIGKILL')
    expect(await started.child.exited).toEqual({ code: null, signal: 'SIGKILL' })
    expect(pids.filter(isAlive)).toEqual([])
  })

  test('a shim that is told to end', async () => {
    const started = await run(family)
    const pids = [started.child.pid, await grandchildOf(started)]
    process.kill(await parentOf(started.child.pid), 'SIGTERM')
    expect((await started.child.exited).signal).toBe('SIGTERM')
    expect(pids.filter(isAlive)).toEqual([])
  })

  describe.each([
    ['ends when told', family],
    ['ignores SIGTERM', deafFamily],
  ])('a house, with a child that %s', (_, script) => {
    test.each(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s', async signal => {
      const { house, pids } = await openHouse(script)
      house.kill(signal)
      await house.exited
      await gone(pids)
    })
  })

  test.each(['SIGKILL', 'SIGTERM'] as const)('a house that ends by %s while it waits for a child that is deaf', async signal => {
    const { house, pids } = await openHouse(`echo up; ${deafFamily}`)
    house.kill('SIGUSR2')
    await Bun.sleep(200)
    expect(pids.map(isAlive)).toEqual([true, true, true])
    house.kill(signal)
    await house.exited
    await gone(pids)
  })

  test('a house that is killed while it starts the child', async () => {
    const mark = `${process.pid}.${Date.now()}`
    for (const ms of [5, 10, 15, 20, 25, 30, 35, 40]) {
      const house = Bun.spawn([process.execPath, parent, `exec sleep 1000.${mark}`], { stdout: 'ignore' })
      await Bun.sleep(ms)
      house.kill('SIGKILL')
      await house.exited
    }
    const left = () => processes().filter(args => args.includes(mark))
    for (let i = 0; i < 400 && left().length > 0; i++) await Bun.sleep(20)
    expect(left()).toEqual([])
  })

  test('a Ctrl-C at the terminal of a house that lets it pass', async () => {
    const { house, pids } = await openHouse(`trap 'echo interrupted' INT; ${family}`)
    const group = async (pid: number) => Number((await Bun.file(`/proc/${pid}/stat`).text()).split(' ')[4])
    // a terminal signals the group in front
    expect(await Promise.all(pids.slice(0, 2).map(group))).not.toContain(await group(house.pid))
    house.kill('SIGKILL')
    await gone(pids)
  })
})

const parent = join(import.meta.dir, 'testing', 'parent.ts')

/** The command lines of all that runs. */
const processes = () =>
  readdirSync('/proc').flatMap(pid => {
    try {
      return /^\d/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : []
    } catch {
      return []
    }
  })

/** A house in a process of its own, and the pids of child, grandchild and shim. */
async function openHouse(script: string) {
  const house = Bun.spawn([process.execPath, parent, script], { stdout: 'pipe', stdin: 'ignore' })
  let said = ''
  const decoder = new TextDecoder()
  for await (const bytes of house.stdout) {
    said += decoder.decode(bytes)
    if (/grandchild \d+\n/.test(said) && /^child \d+\n/m.test(said)) break
  }
  const child = Number(/^child (\d+)/m.exec(said)?.[1])
  const pids = [child, Number(/grandchild (\d+)/.exec(said)?.[1]), await parentOf(child)]
  expect(pids.map(isAlive)).toEqual([true, true, true])
  return { house, pids }
}
