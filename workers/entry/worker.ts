// Becomes /$bunfs/root/entry/worker.js in the binary, which is where tinypool looks for its own entry at run time.
import '../../node_modules/tinypool/dist/entry/worker.js' // by path: the package does not export it

export { digest } from '../digest.ts'
export { cl100k_base, o200k_base } from '../tokens.ts'
