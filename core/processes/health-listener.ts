import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Who listens on a port. `unknown` where the system does not tell us. */
export type Listener = 'ours' | 'theirs' | 'unknown'

/**
 * Whether it is a process of this family that listens on a port of this machine, and nobody else. A health check cannot tell:
 * whoever took the port first may be well too, and llama-server shares its port with another one of the same user without a
 * word (SO_REUSEPORT); half of the prompts would go there. Only Linux tells.
 */
export function whoListens(port: number, family: readonly number[], ask: typeof socketsOf = socketsOf): Listener {
  if (process.platform !== 'linux') return 'unknown'
  const sockets = listeningSockets().flatMap(socket => (socket.port === port ? [socket.inode] : []))
  if (sockets.length === 0) return 'unknown'
  const told = family.map(ask)
  const own = new Set(told.flatMap(some => some ?? []))
  if (sockets.every(socket => own.has(socket))) return 'ours'
  return told.includes(undefined) ? 'unknown' : 'theirs'
}

/** The ports of this machine on which a family listens; none where the system does not tell. */
export function portsOf(family: readonly number[]): readonly number[] {
  if (process.platform !== 'linux') return []
  const own = new Set(family.flatMap(pid => socketsOf(pid) ?? []))
  return [...new Set(listeningSockets().flatMap(({ port, inode }) => (own.has(inode) ? [port] : [])))].sort((a, b) => a - b)
}

const listening = '0A'
/** 127.0.0.1, ::1, ::ffff:127.0.0.1 and "any", as the kernel writes them: words of four bytes in the order of a little machine. */
const here = /^(0100007F|00000000|0{32}|0{24}01000000|0{16}FFFF00000100007F)$/

/** The sockets that take connections to 127.0.0.1. */
const listeningSockets = () => ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(table => read(table).split('\n').flatMap(socketOf))

function socketOf(line: string) {
  const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
  const [address = '', port = ''] = local.split(':')
  return state === listening && here.test(address) && inode ? [{ port: Number.parseInt(port, 16), inode }] : []
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** Undefined when we may not look: it runs as another user, or its program has capabilities (`setcap cap_ipc_lock`). */
function socketsOf(pid: number): readonly string[] | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap(name => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${name}`))?.[1] ?? [])
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? [] : undefined
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
