import { join } from 'node:path'
import type { FormatName } from './compat/legacy-format.ts'
import { onlyLlamawrapper, onlyModelgate } from './compat/recognise.ts'
import type { Tree } from './tree.ts'

/** A place where a config file may lie. */
export interface Place {
  readonly path: string
  /** Other programs use this name too: says whose config the file is, or undefined to pass it over. */
  readonly claim?: (path: string, tree: Tree) => FormatName | undefined
}

/** Where a config file is looked for, in this order, when none is given. */
export const defaultPlaces = (cwd: string, home: string): readonly Place[] => [
  ...[cwd, join(home, '.gatehouse')].flatMap(folder => ['yaml', 'yml'].map(end => ({ path: join(folder, `gatehouse.${end}`) }))),
  ...[cwd, join(home, '.llamagate')].flatMap(folder => ['yaml', 'yml', 'json'].map(end => ({ path: join(folder, `llamagate.${end}`) }))),
  { path: join(cwd, 'configs', 'config.yaml'), claim: onlyModelgate },
  { path: join(cwd, 'config.yaml'), claim: onlyLlamawrapper },
]
