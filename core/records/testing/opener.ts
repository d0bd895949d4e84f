/**
 * Opens records in a process of its own: `opener.ts FILE [nobody] [MAX_PAGES]`. Says `open`, or why not, and ends when
 * stdin does. With `nobody` it gives up the rights of root first.
 */
import { openRecords } from '../sqlite.ts'

const [path, rights] = process.argv.slice(2) as [string, string | undefined]
if (rights === 'nobody' && process.getuid?.() === 0) {
  process.setgid?.(65_534)
  process.setuid?.(65_534)
}

try {
  const records = await openRecords({ path })
  console.log('open')
  for await (const _ of console) {
    // until somebody closes stdin
  }
  records.close()
} catch (error) {
  console.log(`${(error as Error).name}: ${(error as Error).message}`)
}
