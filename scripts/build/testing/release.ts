import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Where `npm run build:all` puts its files. */
export const dist = join(import.meta.dir, '..', '..', '..', 'dist')

/** Whether tests of those files run: where they were built, and where everything must be there, as in CI. */
export const releaseWanted = process.env.REQUIRE_SERVICES === '1' || existsSync(join(dist, 'SHA256SUMS'))
