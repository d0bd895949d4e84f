import { expect, test } from 'bun:test'
import { spawnChild, type Talk } from './spawn-child.ts'
import { gone, runner } from './testing/alive.ts'

const env = { PATH: process.env.PATH ?? '' }

/** Starts a shell script that is spoken to. */
async function talk(script: string) {
  const lines: string[] = []
  const onOutput = (line: string, from: string) => void lines.push(`${from}: ${line}`)
  const child = await spawnChild({ command: 'sh', args: ['-c', script], env, ...runner, speaks: true, onOutput })
  return { child, lines, ...(child.talk as Talk) }
}

test('a program that speaks is heard and answered, and only its stderr are lines', async () => {
  const { child, lines, stdin, stdout } = await talk('read word; echo "got $word"; echo aside >&2')
  stdin.write('hello\n')
  await stdin.flush()
  expect(await new Response(stdout).text()).toBe('got hello\n')
  expect(await child.exited).toEqual({ code: 0, signal: null })
  expect(lines).toEqual(['stderr: aside'])
})

test('the end of what we say is the end for the program', async () => {
  const { child, stdin, stdout } = await talk('cat; echo over')
  stdin.write('one\n')
  await stdin.end()
  expect(await new Response(stdout).text()).toBe('one\nover\n')
  await child.exited
})

test('a program that has closed its ears is known at once, and so is one that has closed its mouth', async () => {
  const { child, stdin, stdout } = await talk('exec <&- >&-; sleep 1000')
  expect(await new Response(stdout).text()).toBe('')
  const write = async () => {
    for (;;) {
      await stdin.write('x'.repeat(100_000))
      await Bun.sleep(1)
    }
  }
  await expect(write()).rejects.toThrow('EPIPE')
  await child.stop(2_000)
})

test('what it has started is gone with it', async () => {
  const { child, stdout } = await talk('sleep 1000 & echo $!; wait')
  const { value } = await stdout.getReader().read()
  await child.stop(2_000)
  await gone([child.pid, Number(new TextDecoder().decode(value))])
})

test('megabytes go both ways', async () => {
  const { stdin, stdout } = await talk('cat')
  const read = new Response(stdout).bytes()
  for (let i = 0; i < 50; i++) {
    stdin.write(new Uint8Array(200_000).fill(i))
    await stdin.flush()
  }
  await stdin.end()
  const bytes = await read
  expect(bytes.length).toBe(10_000_000)
  expect(bytes.at(-1)).toBe(49)
})
