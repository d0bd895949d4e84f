import { whatRivalsForwardTo } from './house/rival.ts'
import { startUpstream } from './house/upstream.ts'

/** Runs only the upstream until it is told to stop, so that a rival can be configured and tried against it. */
export async function hold(port: number): Promise<void> {
  await using upstream = await startUpstream({ port, intervalMs: 0 })
  console.log(`the upstream listens at ${upstream.url}; a rival has to ${whatRivalsForwardTo(upstream.url)}`)
  console.log('Ctrl-C ends it. Then: npm run bench -- --rival NAME=http://127.0.0.1:PORT [--rival-pid NAME=PID]')
  await new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
