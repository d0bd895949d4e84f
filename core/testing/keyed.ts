import type { Balance } from '../records/ledger.ts'
import type { ManagedKey } from './managed-key.ts'
import { type House, type HouseOptions, openHouse } from './open-house.ts'

/** A chat request with a key; `fields` go over what is asked for otherwise. */
export const chatWith = (
  { url }: Pick<House, 'url'>,
  { headers }: Pick<ManagedKey, 'headers'>,
  fields: object = {},
  signal?: AbortSignal,
) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hi' }], max_tokens: 10, ...fields }),
    ...(signal && { signal }),
  })

/** A POST of JSON with a key. */
export const postWith = (
  { url }: Pick<House, 'url'>,
  { headers }: Pick<ManagedKey, 'headers'>,
  path: string,
  body: object,
  signal?: AbortSignal,
) => fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body), ...(signal && { signal }) })

/** How a key stands in the ledger of a house. */
export const balanceOf = async (
  { serving }: Pick<House, 'serving'>,
  { id }: Pick<ManagedKey, 'id'>,
  limit: number | null = null,
): Promise<Balance> => serving.gateway.ledger.balance({ keyId: id, period: 'total', limit })

/** Resolves when every request is over and nothing is set aside for the key any more. */
export async function allSettled(house: Pick<House, 'serving'>, key: Pick<ManagedKey, 'id'>): Promise<Balance> {
  for (;;) {
    const balance = await balanceOf(house, key)
    if (house.serving.gateway.exchanges.list().length === 0 && balance.reserved === 0) return balance
    await Bun.sleep(2)
  }
}

/** Resolves when it holds; rejects with `what` after ten seconds. */
export async function comesTrue(check: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const until = performance.now() + 10_000
  while (!(await check())) {
    if (performance.now() > until) throw new Error(`never came true: ${what}`)
    await Bun.sleep(3)
  }
}

/**
 * A house that has its tokenizer loaded. On a busy machine that takes longer than a count may, and requests are then charged at
 * their upper bound.
 */
export async function openCounting(options: HouseOptions = {}): Promise<House> {
  const house = await openHouse(options)
  const payload = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }
  for (;;) {
    const { method } = await house.serving.gateway.tokens.count(
      payload as never,
      'chat.completions',
      { targets: [] },
      AbortSignal.timeout(60_000),
    )
    if (method !== 'estimate') return house
    await Bun.sleep(50)
  }
}
