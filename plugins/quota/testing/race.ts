import { request } from 'node:http'
import type { Account, Bounds, Grant } from '../../../core/records/ledger.ts'
import type { FakeServer } from '../../../core/testing/fake-server.ts'
import { allSettled, balanceOf, comesTrue } from '../../../core/testing/keyed.ts'
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
  /** What was set aside for each of those that passed. */
  readonly grants: readonly number[]
  /** What a request comes to when its prompt is counted. */
  readonly cost: number
  /** Answers with 503, after which the request was sent again, and whether any house had said that Redis was lost. */
  readonly unavailable: number
  readonly lost: boolean
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
  const watched = houses.map(watchGrants)
  const before = upstream.requests.length
  const { used: usedBefore } = await balanceOf(first, key, limit)
  let refused = 0
  let unavailable = 0
  const others: string[] = [] // of those that neither passed, nor were refused, nor may come again
  const answers = Array.from({ length: requests }, async (_, at) => {
    const house = houses[at % houses.length] as House
    const stream = at % 3 === 0
    const body = { model: 'hold', stream, max_tokens: answerTokens, messages: promptOf(at) }
    const send = () =>
      ask(house, key, body, status => {
        if (status === 429) refused++
      })
    let answer = await send()
    // with `on_error: deny`, and a Redis that gets no processor for a quarter of a second
    while (answer.status === 503) {
      unavailable++
      await Bun.sleep(500 + (1000 * at) / requests) // all at once would keep it from coming back
      answer = await send()
    }
    const { status, text } = answer
    if (status !== 200 && status !== 429) others.push(`${status} ${text}`)
    if (status === 200 && !text.includes(stream ? '[DONE]' : '"choices"')) throw new Error(`not whole: ${text}`)
    return status
  })
  for (const answer of answers) answer.catch(() => {}) // when this fails, the house is closed under them
  const arrived = () => upstream.requests.length - before
  await comesTrueWithin(
    60_000,
    () => arrived() + refused + others.length === requests,
    () => `all are decided: ${arrived()} arrived, ${refused} refused, ${unavailable} times unavailable`,
  )
  const granted = () => watched.reduce((sum, { grants }) => sum + grants.reduce((sum, tokens) => sum + tokens, 0), 0)
  let reserved = 0
  await comesTrue(async () => {
    reserved = (await balanceOf(first, key, limit)).reserved
    return reserved === granted()
  }, 'what was granted is reserved').catch(() => {}) // told of below
  upstream.release()
  const statuses = await Promise.all(answers)
  for (const house of houses) await allSettled(house, key)
  await comesTrue(async () => (await balanceOf(first, key, limit)).reserved === 0, 'nothing is reserved')
  const { used } = await balanceOf(first, key, limit)
  const grants = watched.flatMap(({ stop }) => stop())
  const lost = houses.some(({ lines }) => lines.some(({ message }) => String(message).startsWith('Redis cannot be used')))
  const passed = statuses.filter(status => status === 200).length
  if (others.length > 0) throw new Error(`other answers: ${others}`)
  return { passed, refused, reserved, used: used - usedBefore, grants, cost: Math.max(...costs), unavailable, lost }
}

/** What is wrong with a race: those that fit, and no others, must have passed. */
export function faultsOf({ passed, reserved, used, grants, cost, unavailable, lost }: RaceReport, remaining: number): string[] {
  const granted = grants.reduce((sum, tokens) => sum + tokens, 0)
  return [
    ...(reserved > remaining ? [`${reserved} were reserved of ${remaining}`] : []),
    ...(remaining - reserved >= cost ? [`${remaining - reserved} of ${remaining} were left, and requests of ${cost} refused`] : []),
    ...(passed !== grants.length ? [`${passed} passed, and ${grants.length} were granted`] : []),
    ...(granted !== reserved ? [`${granted} were granted, and ${reserved} reserved`] : []),
    ...(used !== passed * reported ? [`${passed} answers cost ${used}`] : []),
    ...(unavailable > 0 && !lost ? [`${unavailable} were told that nobody can decide, while Redis was there`] : []),
    ...(used > remaining ? [`${used} were spent of ${remaining}`] : []),
  ]
}

/** Notes what is granted in a house from now on. */
function watchGrants({ serving }: House) {
  const { ledger } = serving.gateway
  const { reserve } = ledger
  const grants: number[] = []
  const note = (grant: Grant): Grant => {
    if (grant.granted) grants.push(grant.reservation.tokens)
    return grant
  }
  Object.assign(ledger, {
    reserve(account: Account, bounds: Bounds) {
      const grant = reserve(account, bounds)
      return grant instanceof Promise ? grant.then(note) : note(grant)
    },
  })
  const stop = (): readonly number[] => {
    Object.assign(ledger, { reserve })
    return grants
  }
  return { grants, stop }
}

/** Counted in a thread; of a thousand at once most are estimated, at less. */
async function costOf({ serving }: House, at: number): Promise<number> {
  const { models, tokens } = serving.gateway
  const payload = { model: 'hold', messages: promptOf(at) }
  const model = await models.resolve('hold')
  const bound = tokens.bound(payload, 'chat.completions', model)
  const { tokens: count } = await tokens.count(payload, 'chat.completions', model as never, AbortSignal.timeout(60_000))
  return Math.min(bound, Math.ceil(count * 1.2) + 64) + answerTokens
}

/** Over a connection of its own: `fetch` has 256 of them, and what waits for one has not been sent at once. */
function ask({ url }: House, { headers }: ManagedKey, body: object, answered: (status: number) => void) {
  return new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    const outgoing = request(`${url}/v1/chat/completions`, { method: 'POST', headers, agent: false }, response => {
      const { statusCode: status = 0 } = response
      answered(status)
      let text = ''
      response.setEncoding('utf8').on('data', part => {
        text += part
      })
      response.on('end', () => resolve({ status, text })).on('error', reject)
    })
    outgoing.on('error', reject).end(JSON.stringify(body))
  })
}

async function comesTrueWithin(ms: number, check: () => boolean, what: () => string): Promise<void> {
  const until = performance.now() + ms
  while (!check()) {
    if (performance.now() > until) throw new Error(`never came true: ${what()}`)
    await Bun.sleep(5)
  }
}
