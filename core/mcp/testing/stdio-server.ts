import { closeSync, fstatSync, writeSync } from 'node:fs'
import { createFake } from './behaviour.ts'

/** A fake MCP server on stdin and stdout. Its argument says how it behaves from the beginning. */
const mode = process.argv[2] ?? 'well'

if (mode === 'exit') {
  process.stderr.write('I will not\n')
  process.exit(3)
}

/** A pipe takes 64 KiB at a time. */
function write(text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if ((error as { code?: string }).code !== 'EAGAIN') throw error
    }
  }
}

const sleeper = (detached: boolean) => {
  const child = Bun.spawn(detached ? ['setsid', 'sleep', '1000'] : ['sleep', '1000'], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  })
  child.unref()
  return child.pid
}

const fake = createFake({
  send: message => write(`${JSON.stringify(message)}\n`),
  tricks: {
    crash: () => process.kill(process.pid, 'SIGKILL'),
    freeze: () => process.kill(process.pid, 'SIGSTOP'),
    garbage(answer) {
      write('Starting up...\n\n{"half": \n[1,2]\nnull\n\u0000\u0001\n')
      answer('after garbage')
    },
    'close-stdin'(answer) {
      closeSync(0)
      answer('I do not listen any more')
    },
    'close-stdout': () => closeSync(1),
    grandchildren: answer => answer(JSON.stringify([process.pid, sleeper(false), sleeper(true)])),
    pid: answer => answer(String(process.pid)),
  },
})

let rest = ''
if (mode === 'deaf') process.on('SIGTERM', () => {})
for await (const text of Bun.stdin.stream().pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split('\n')
  rest = lines.pop() as string
  if (mode === 'hang') continue
  for (const line of lines) fake.handle(JSON.parse(line))
}
if (mode === 'deaf' || fstatSync(1).size < 0) await new Promise(() => {})
process.exit(0)
