import { appendFileSync, existsSync } from 'node:fs'
import { fakeOllama } from '../../testing/fake-ollama.ts'

// What the `ollama` of `stubOllama` runs: notes how it was called, and behaves as OLLAMA_STUB says.
const { OLLAMA_HOST = '', OLLAMA_STUB = 'serve', OLLAMA_STUB_NOTES = '' } = process.env
const firstTime = !existsSync(OLLAMA_STUB_NOTES)
const runner = Bun.spawn(['sleep', '1000'], { stdio: ['ignore', 'ignore', 'ignore'] }) // Ollama has a process for each model
appendFileSync(OLLAMA_STUB_NOTES, `${JSON.stringify({ args: process.argv.slice(2), pids: [process.pid, runner.pid], env: process.env })}\n`)
console.error(`routes.go: server config env="map[OLLAMA_HOST:${OLLAMA_HOST} HTTPS_PROXY:${process.env.HTTPS_PROXY ?? ''}]"`)
if (OLLAMA_STUB === 'crash' || (OLLAMA_STUB === 'crash-later' && !firstTime)) {
  console.error('Error: no space left on device')
  process.exit(3)
}
if (OLLAMA_STUB !== 'mute') await fakeOllama({ port: Number(OLLAMA_HOST.split(':').at(-1)) })
else setInterval(() => {}, 60_000)
