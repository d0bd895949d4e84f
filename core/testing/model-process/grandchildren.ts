import type { Grandchild } from './behaviour.ts'

/** What each of them is; they say their pid and stay. */
const scripts: Readonly<Record<Grandchild, string>> = {
  plain: 'echo $$; exec sleep 1000',
  // the one in between has gone before anybody could ask who their parent is
  'own-session': `(setsid sh -c 'echo $$; exec sleep 1000' &)`,
  deaf: `(setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 0.2; done' &)`,
}

/** Starts them and resolves with their pids. */
export const startGrandchildren = (kinds: readonly Grandchild[]): Promise<number[]> => Promise.all(kinds.map(startOne))

async function startOne(kind: Grandchild): Promise<number> {
  const child = Bun.spawn(['sh', '-c', scripts[kind]], { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' })
  const reader = child.stdout.getReader()
  const { value } = await reader.read()
  return Number.parseInt(new TextDecoder().decode(value), 10)
}
