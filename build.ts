/** `npm run build` → dist/gatehouse, one file for this machine that runs from an empty folder. */
import { compile } from './scripts/build/compile.ts'

const outfile = process.argv[2] ?? 'dist/gatehouse'

await compile({ outfile })
console.log(`${outfile}: ${(Bun.file(outfile).size / 1e6).toFixed(1)} MB`)
