/** As many digits for every number, so that all requests are as long. */
const blank = '0'.repeat(12)

/** A prompt that has room for a number. */
export const numberedPrompt = `Say something short about wave ${blank}.`

/**
 * Makes requests that differ in the number of their prompt. It is written into the same bytes each time, which costs far
 * less than a request of its own: send them before the next call.
 */
export function createNumbered(request: Buffer): (prompt: number) => Buffer {
  const first = request.indexOf(blank)
  if (first === -1) throw new Error('the request has no room for a number')
  return prompt => {
    for (let at = first + blank.length - 1, rest = prompt; at >= first; at--, rest = Math.floor(rest / 10)) request[at] = zero + (rest % 10)
    return request
  }
}

const zero = 48
