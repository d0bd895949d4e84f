/**
 * A process that claims data folders when told to: `claimer.ts`, then one JSON line per command on stdin.
 * Answers each with one JSON line.
 */
import { claimDataFolder, type DataFolder } from '../../data-folder.ts'

/** What the process can be told to do. */
export type Command =
  | { readonly do: 'claim'; readonly folder: string }
  | { readonly do: 'announce'; readonly host: string; readonly port: number }
  | { readonly do: 'stopping' | 'release' | 'collect-garbage' | 'claim-again' | 'leave' }
  /** Starts a child that outlives this process. */
  | { readonly do: 'spawn' }

/** What it answers. */
export interface Answer {
  readonly won?: boolean
  readonly message?: string
  readonly childPid?: number
}

let folder: DataFolder | undefined
let where = ''

const claim = async (path: string): Promise<Answer> => {
  try {
    const claimed = await claimDataFolder(path)
    folder = claimed
    return { won: true }
  } catch (error) {
    return { won: false, message: (error as Error).message }
  }
}

async function perform(command: Command): Promise<Answer> {
  switch (command.do) {
    case 'claim':
      where = command.folder
      return claim(where)
    case 'claim-again':
      return claim(where)
    case 'announce':
      folder?.announce(command)
      return {}
    case 'stopping':
      folder?.stopping()
      return {}
    case 'release':
      folder?.release()
      folder = undefined
      return {}
    case 'collect-garbage':
      folder = undefined // nobody in this process knows of it any more
      for (let round = 0; round < 5; round++) {
        Bun.gc(true)
        await Bun.sleep(10)
      }
      return {}
    case 'spawn':
      return { childPid: Bun.spawn(['sleep', '60'], { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' }).pid }
    case 'leave':
      process.exit(0)
  }
}

for await (const line of console) console.log(JSON.stringify(await perform(JSON.parse(line))))
