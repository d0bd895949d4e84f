import type { FakeServer } from '../../../core/testing/fake-server.ts'
import { allSettled, balanceOf, chatWith, comesTrue } from '../../../core/testing/keyed.ts'
import type { ManagedKey } from '../../../core/testing/managed-key.ts'
import type { House } from '../../../core/testing/open-house.ts'

const answerTokens = 10
/** What the fake upstream reports for each answer. */
const reported = 18

/** What came of a race. */
export interface RaceReport {
  readonly passed: number
  readonly refused: number
  /** Set aside while all of them were held. */
  readonly reserved: number
  readonly used: number
  /** The cheapest and the dearest of the requests. */
  readonly least: number
  readonly most: number
}

/** A prompt that nobody else has; all of them have about as many tokens. */
const promptOf = (at: number) => [{ role: 'user', content: `say ${1000 + at}` }]

/**
 * Sends all requests at once to the houses in turn, streams and whole ones, while the upstream holds every answer until all
 * are decided. Throws when the answers of those that passed are not whole.
 */
export async function race(
  houses: readonly House[],
  upstream: FakeServer,
  key: ManagedKey,
  limit: number,
  requests: number,
): Promise<RaceReport> {
  const [first] = houses as readonly [House, ...House[]]
  const costs = await Promise.all([0, 7, 99, 500, requests - 1].map(at => costOf(first, at)))
  const before = upstream.requests.length
  const { used: usedBefore } = await balanceOf(first, key, limit)
  let refused = 0
  const answers = Array.from({ length: requests }, async (_, at) => {
    const house = houses[at % houses.length] as House
    const stream = at % 3 === 0
    const response = await chatWith(house, key, { model: 'hold', stream, max_tokens: answerTokens, messages: promptOf(at) })
    if (response.status === 429) refused++
    const text = await response.text()
    if (response.status === 200 && !text.includes(stream ? '[DONE]' : '"choices"')) throw new Error(`not whole: ${text}`)
    return response.status
  })
  const arrived = () => upstream.requests.length - before
  await comesTrueWithin(
    60_000,
    () => arrived() + refused === requests,
    () => `all are decided: ${arrived()} arrived, ${refused} refused`,
  )
  const { reserved } = await balanceOf(first, key, limit)
  upstream.release()
  const statuses = await Promise.all(answers)
  for (const house of houses) await allSettled(house, key)
  await comesTrue(async () => (await balanceOf(first, key, limit)).reserved === 0, 'nothing is reserved')
  const { used } = await balanceOf(first, key, limit)
  const passed = statuses.filter(status => status === 200).length
  if (passed + refused !== requests) throw new Error(`other answers: ${statuses.filter(status => status !== 200 && status !== 429)}`)
  return { passed, refused, reserved, used: used - usedBefore, least: Math.min(...costs), most: Math.max(...costs) }
}

/** What is wrong with a race: those that fit, and no others, must have passed. */
export function faultsOf({ passed, reserved, used, least, most }: RaceReport, remaining: number): string[] {
  return [
    ...(reserved > remaining ? [`${reserved} were reserved of ${remaining}`] : []),
    ...(remaining - reserved >= most ? [`${remaining - reserved} of ${remaining} were left, and requests of ${most} refused`] : []),
    ...(passed * least > reserved || passed * most < reserved ? [`${passed} passed on ${reserved}`] : []),
    ...(used !== passed * reported ? [`${passed} answers cost ${used}`] : []),
    ...(used > remaining ? [`${used} were spent of ${remaining}`] : []),
  ]
}

async function costOf({ serving }: House, at: number): Promise<number> {
  const { models, tokens } = serving.gateway
  const payload = { model: 'hold', messages: promptOf(at) }
  const model = await models.resolve('hold')
  const { tokens: prompt } = await tokens.count(payload, 'chat.completions', model as never, AbortSignal.timeout(5000))
  return Math.ceil(prompt * 1.2) + 64 + answerTokens
}

async function comesTrueWithin(ms: number, check: () => boolean, what: () => string): Promise<void> {
  const until = performance.now() + ms
  while (!check()) {
    if (performance.now() > until) throw new Error(`never came true: ${what()}`)
    await Bun.sleep(5)
  }
}
