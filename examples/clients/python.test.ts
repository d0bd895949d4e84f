import { beforeAll, describe, expect, test } from 'bun:test'
import { startGatehouse } from '../../core/testing/gatehouse-process.ts'
import { preparePython, pythonWanted } from '../../core/testing/python.ts'
import { runScript } from './run-script.ts'
import { type BackendType, backendTypes, type Served, serveFake } from './served.ts'

// without .venv the packages would have to be downloaded first: REQUIRE_SERVICES=1 does
describe.skipIf(!pythonWanted)('Python', () => {
  let python: string
  beforeAll(async () => {
    python = await preparePython(`${import.meta.dir}/requirements.txt`)
  }, 600_000)

  test.each(['openai.py', 'langchain.py'])(
    '%s against gatehouse demo',
    async script => {
      await using demo = await startGatehouse({ args: ['demo', '--port', '0'] })
      const output = await runScript([python, `${import.meta.dir}/${script}`], { OPENAI_BASE_URL: `${demo.url}/v1` })
      expect(output).toContain('chat: Say hello to the gatehouse. (10 tokens)')
      expect(output).toContain('stream: Count from one to five.')
      expect(output).toContain('tools: What is the weather in Paris?')
      expect(output).toContain("structured: name='Ada Lovelace' born=1815")
      expect(output).toContain('embeddings: 64 numbers, 64 numbers')
    },
    60_000,
  )

  test.each(backendTypes)(
    'every check in front of %s',
    async type => {
      const lines = await runChecks(python, type)
      expect(lines.filter(line => line.startsWith('FAIL'))).toEqual([])
      expect(lines.filter(line => line.startsWith('pass')).length).toBeGreaterThan(25)
      expect(lines.at(-1)).toEndWith(' passed, 0 failed')
    },
    120_000,
  )
})

/** Runs checks.py with a gateway for each situation, answers its questions, and returns the rest of what it printed. */
async function runChecks(python: string, type: BackendType): Promise<string[]> {
  const models = [{ name: 'alias', targets: [{ backend: 'home', model: 'echo' }] }]
  await using open = await serveFake(type, { yaml: { models } })
  await using closed = await serveFake(type, { env: { API_KEY: 'sk-closed' } })
  await using limited = await serveFake(type, { yaml: { rate_limit_rps: 1 } })
  await using down = await serveFake(type)
  await down.fake.stop()
  const child = Bun.spawn([python, `${import.meta.dir}/checks.py`], {
    env: {
      ...process.env,
      BACKEND: type,
      URL: open.url,
      CLOSED_URL: closed.url,
      CLOSED_KEY: 'sk-closed',
      LIMITED_URL: limited.url,
      DOWN_URL: down.url,
    },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const lines: string[] = []
  for await (const line of readLines(child.stdout)) {
    if (!line.startsWith('? ')) lines.push(line)
    else child.stdin.write(`${await answer(open, line.slice(2))}\n`)
    await child.stdin.flush()
  }
  await child.exited
  return lines
}

/** `begun MODEL`: the backend has the call. `left MODEL`: it saw the client leave. */
async function answer({ fake }: Served, question: string): Promise<string> {
  const [event, model] = question.split(' ')
  const about = () => fake.streams.filter(stream => stream.model === model)
  const holds = () => (event === 'begun' ? about().length > 0 : about().some(({ ended }) => ended === 'client-left'))
  try {
    await fake.until(holds, question)
    if (event === 'left') fake.clear()
    return 'yes'
  } catch (error) {
    return String(error)
  }
}

async function* readLines(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/)
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
