/** A process that fills a shelf until it is killed: prints a number whenever all answers up to that one are safe. */
import { openSqliteShelf } from '../sqlite.ts'
import { answerOf, keyOf, lengthOf, roomy } from './answers.ts'
import { keepLog } from './log.ts'

const [path = '', first = '0'] = process.argv.slice(2)
const { log, lines } = keepLog()
const shelf = openSqliteShelf({ path, limits: roomy, log })
for (let at = Number(first); ; at++) {
  shelf.set(keyOf(at), answerOf('m', lengthOf(at), at))
  if (at % 5 !== 4) continue
  await shelf.flush()
  process.stdout.write(`${lines.length > 0 ? JSON.stringify(lines) : at}\n`)
}
