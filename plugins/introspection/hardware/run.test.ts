import { afterAll, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runTool } from './run.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-run-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function script(name: string, body: string): string {
  const file = join(folder, name)
  writeFileSync(file, `#!/bin/sh\n${body}\n`)
  chmodSync(file, 0o755)
  return file
}

const patient = () => new AbortController().signal

/** Resolves when the file is there and whole. */
async function written(file: string): Promise<string> {
  while (!existsSync(file) || !readFileSync(file, 'utf8').endsWith('\n')) await Bun.sleep(5)
  return readFileSync(file, 'utf8').trim()
}

/** Resolves when these processes have ended. A dead one that nobody has collected yet still has its number. */
async function gone(...pids: readonly number[]): Promise<void> {
  const ended = (pid: number) => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
    } catch {
      return true
    }
  }
  while (process.platform === 'linux' && !pids.every(ended)) await Bun.sleep(5)
}

test.skipIf(process.platform === 'win32')('gives what a tool writes; undefined when it fails or is not there', async () => {
  expect(await runTool([script('good', 'echo "$1 $2"'), 'a b', '$HOME'], patient())).toBe('a b $HOME\n')
  expect(await runTool([script('bad', 'echo text; exit 9')], patient())).toBeUndefined()
  expect(await runTool(['no-such-tool-anywhere'], patient())).toBeUndefined()
  expect(await runTool([], patient())).toBeUndefined()
  writeFileSync(join(folder, 'not-a-program'), 'x')
  expect(await runTool([join(folder, 'not-a-program')], patient())).toBeUndefined()
})

test.skipIf(process.platform === 'win32')('a tool that hangs ends at the signal, with the processes it started', async () => {
  const pids = join(folder, 'pids')
  const budget = new AbortController()
  const answer = runTool([script('hangs', `sleep 600 & echo "$$ $!" > ${pids}; wait`)], budget.signal)
  const [shell, child] = (await written(pids)).split(' ').map(Number) as [number, number]
  budget.abort()
  expect(await answer).toBeUndefined()
  await gone(shell, child)
})

test.skipIf(process.platform === 'win32')('a tool that leaves a process behind has answered, and the process ends', async () => {
  const pid = join(folder, 'left')
  const answers = script('answers', `sleep 600 &\necho $! > ${pid}\necho "NVIDIA A, 12288, 5"; exit 0`)
  // nobody aborts: with the pipe held open, only the end of the tool can end this
  expect(await runTool([answers], patient())).toBe('NVIDIA A, 12288, 5\n')
  await gone(Number(await written(pid)))
  // the same when the answer is that it failed, and when nobody holds the pipe
  rmSync(pid)
  expect(await runTool([script('fails', `sleep 600 &\necho $! > ${pid}\necho text; exit 9`)], patient())).toBeUndefined()
  await gone(Number(await written(pid)))
  rmSync(pid)
  expect(await runTool([script('quiet', `sleep 600 > /dev/null &\necho $! > ${pid}\necho text`)], patient())).toBe('text\n')
  await gone(Number(await written(pid)))
})

test.skipIf(process.platform === 'win32')('an answer as long as a pipe holds is whole, though the pipe stays open', async () => {
  const text = await runTool([script('long', 'sleep 600 & head -c 65536 /dev/zero | tr "\\0" x')], patient())
  expect(text).toBe('x'.repeat(65_536))
})

test.skipIf(process.platform === 'win32')('output without end is not collected', async () => {
  expect(await runTool([script('endless', 'while :; do echo 0123456789012345678901234567890123456789; done')], patient())).toBeUndefined()
})

test.skipIf(process.platform === 'win32')('our own environment stays ours', async () => {
  process.env.GATEHOUSE_RUN_TEST_KEY = 'sk-not-for-tools'
  try {
    const seen = await runTool([script('env', 'env')], patient())
    expect(seen).toContain('LC_ALL=C')
    expect(seen).not.toContain('sk-not-for-tools')
  } finally {
    delete process.env.GATEHOUSE_RUN_TEST_KEY
  }
})

test('a signal that is over starts nothing', async () => {
  const file = join(folder, 'ran')
  expect(await runTool([script('marks', `touch ${file}`)], AbortSignal.abort())).toBeUndefined()
  expect(existsSync(file)).toBe(false)
})
