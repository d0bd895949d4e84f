/** A process that keeps more answers in a folder than there is room for, and says what became of them. */
import { openSqliteShelf } from '../sqlite.ts'
import { answerOf, any, isAnswerOf, keyOf, roomy } from './answers.ts'
import { keepLog } from './log.ts'

const [path = ''] = process.argv.slice(2)
const { log, lines } = keepLog()
let time = Date.now()
const shelf = openSqliteShelf({ path, limits: roomy, log, now: () => time })
const length = 64 * 1024
const fill = async (count: number, from: number) => {
  for (let at = from; at < from + count; at++) {
    shelf.set(keyOf(at), answerOf('m', length, at))
    await shelf.flush()
  }
}
const find = async (at: number) => {
  const found = await shelf.get(keyOf(at), any)
  return found === undefined ? 'missing' : isAnswerOf(found, length, at) ? 'whole' : 'wrong'
}
const findAll = async (count: number) => {
  const found = await Promise.all(Array.from({ length: count }, (_, at) => find(at)))
  return Object.fromEntries(['whole', 'missing', 'wrong'].map(state => [state, found.filter(one => one === state).length]))
}

await fill(100, 0)
const crowded = { lines: [...lines], found: await findAll(100) }
time += 61_000
await fill(20, 100) // still no room
const later = lines.length
await shelf.clear()
time += 61_000
await fill(3, 200)
console.log(JSON.stringify({ crowded, later, cleared: await findAll(100), afterwards: [await find(200), await find(202)] }))
await shelf.close()
