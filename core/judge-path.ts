import { matchesGlob } from './glob.ts'

/**
 * True when a list of endpoints names a path that is otherwise for the admin. Its first part must stand there as it is: a key
 * for all paths there are was not meant for this one.
 */
export const namesPath = (endpoints: readonly string[], path: string): boolean =>
  endpoints.some(endpoint => firstPart(endpoint) === firstPart(path) && matchesGlob(endpoint, path))

const firstPart = (path: string) => path.split('/', 2)[1]
