import { model, rivalKey } from '../wire/requests.ts'
import { closedLoop } from './load.ts'

/** Somebody else's gateway, already running, that forwards to the benchmark's upstream. */
export interface Rival {
  readonly name: string
  readonly url: string
  /** Its process, when its memory and processor time are to be measured too. */
  readonly pid?: number
}

/** What a rival has to do, for the person who configures it. */
export const whatRivalsForwardTo = (upstreamUrl: string): string =>
  `forward /v1/chat/completions for the model "${model}" to ${upstreamUrl}/v1, accept the key ${rivalKey} or none, and cache nothing`

const patienceMs = 10_000

/** Fails with what to do unless the rival hands on whole answers and streams; waits a little for one that is starting. */
export async function checkRival({ name, url }: Rival, upstreamUrl: string): Promise<void> {
  const deadline = Date.now() + patienceMs
  for (const kind of [{}, { events: 3 }]) {
    for (;;) {
      const { firstWrong } = await closedLoop({ url, connections: 1, requests: 1, rival: true, ...kind })
      if (firstWrong === undefined) break
      if (!firstWrong.startsWith('no connection') || Date.now() > deadline)
        throw new Error(
          `the rival ${name} at ${url} does not hand on ${'events' in kind ? 'a stream' : 'an answer'}: ${firstWrong}\nIt has to ${whatRivalsForwardTo(upstreamUrl)}.`,
        )
      await Bun.sleep(200)
    }
  }
}
