import { countTokens, type TokenAnswer } from '../../../workers/tokens.ts'

/** Tasks as a thread would have them, with a word for each way to go wrong. */
export async function o200k_base(word: string): Promise<TokenAnswer> {
  if (word === 'throw') throw new Error('thrown in the thread')
  if (word === 'exit') process.exit(3)
  if (word === 'crash') setTimeout(() => Promise.reject(new Error('uncaught in the thread')))
  if (word === 'crash' || word === 'never') await new Promise(() => {})
  if (word === 'spin') for (;;);
  if (word === 'slow') await Bun.sleep(100)
  return countTokens(word, 'o200k_base')
}

/** Fails for one content and works for all others. */
export function digest(data: string): string {
  if (data.startsWith('throw')) throw new Error('thrown in the thread')
  return `from the thread: ${data.length}`
}
