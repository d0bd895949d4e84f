import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import { within } from '../within.ts'
import { becomeGuardian } from './guardian.ts'
import type { ChildExit, Order, Report, Stop } from './messages.ts'
import { endGroup } from './process-group.ts'
import { descendantsOf } from './process-list.ts'

/**
 * `gatehouse __runner <command> <args…>`: stands between the house and a program that it started, and ends the
 * program with all it has started as soon as the house says so, or is gone. The channel to the house is the
 * lifeline: whatever kills the house, the kernel closes it. Why all this is needed is in the README of this folder.
 */
export async function runChild(argv: readonly string[]): Promise<never> {
  if (!process.send || argv.length === 0) {
    process.stderr.write('gatehouse: __runner is how gatehouse starts other programs; it is not for use by hand\n')
    process.exit(2)
  }
  const started = new Set<number>()
  becomeGuardian(pid => started.has(pid))
  const order = await firstOrder()
  const start = (argv: readonly string[]) => {
    const child = spawn(argv, order)
    if (!(child instanceof Error)) started.add(child.pid)
    return child
  }
  const child = start(argv)
  if (order.speaks) letGo()
  if (child instanceof Error) {
    await report({ error: child.message })
    process.exit(127)
  }

  let deadline = Number.POSITIVE_INFINITY
  const endAll = async () => {
    const leftMs = () => deadline - performance.now()
    const halfMs = leftMs() / 2
    if (order.stop) await tryStopCommand(start(order.stop), child.exited, () => leftMs() - halfMs)
    await endGroup(child.pid, leftMs, all => descendantsOf(process.pid, all))
  }
  let ending: Promise<void> | undefined
  /** Who is asked twice hurries: the house may go while it waits for this. */
  const end = (graceMs: number) => {
    deadline = Math.min(deadline, performance.now() + graceMs)
    ending ??= endAll()
    return ending
  }
  process.on('message', (stop: Stop) => end(stop.stopMs))
  process.on('disconnect', () => end(order.graceMs))
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => end(order.graceMs))
  if (!process.connected) end(order.graceMs)
  report({ pid: child.pid })
  report({ ended: await exitOf(child) })
  await (ending ?? end(order.graceMs)) // of whatever it has left behind
  await report({ gone: true })
  process.exit(0)
}

function firstOrder(): Promise<Order> {
  const houseIsGone = () => process.exit(0) // and nothing was started yet
  process.once('disconnect', houseIsGone)
  return new Promise(resolve => {
    process.once('message', (order: Order) => {
      process.off('disconnect', houseIsGone)
      resolve(order)
    })
  })
}

/** The program leads a process group of its own, so that all of it can be reached. */
function spawn(argv: readonly string[], { env, cwd, speaks = false }: Order) {
  try {
    return Bun.spawn([...argv], {
      cwd,
      env: { ...env },
      detached: process.platform !== 'win32',
      stdin: speaks ? 'inherit' : 'ignore',
      stdout: 'inherit',
      stderr: 'inherit',
      windowsHide: true,
    })
  } catch (error) {
    return error as Error
  }
}

/** The two ends are the program's alone: whoever holds them too hides from the house that it has closed them. */
function letGo(): void {
  if (process.platform === 'win32') return
  for (const [descriptor, flags] of [
    [0, 'r'],
    [1, 'w'],
  ] as const) {
    closeSync(descriptor)
    openSync(devNull, flags) // takes the number that is free now
  }
}

async function exitOf(child: Bun.Subprocess): Promise<ChildExit> {
  const code = await child.exited
  const signal = child.signalCode
  return signal === null ? { code, signal } : { code: null, signal: String(signal) }
}

/** Gives the command its time, and then the program what is left of it: it may end only a little later. */
async function tryStopCommand(command: Bun.Subprocess | Error, programEnded: Promise<unknown>, leftMs: () => number): Promise<void> {
  if (command instanceof Error) return void process.stderr.write(`gatehouse: the stop command could not be started: ${command.message}\n`)
  await doneWithin(leftMs, command.exited)
  if (command.exitCode === 0) await doneWithin(leftMs, programEnded)
}

const lookEveryMs = 50

/** As `within`, but the time that is left may become less. */
async function doneWithin(leftMs: () => number, work: Promise<unknown>): Promise<void> {
  while (leftMs() > 0 && !(await within(Math.min(lookEveryMs, leftMs()), work)));
}

/** Resolves when the house has it, or is gone and wants it no more: then the channel never says that it was sent. */
const report = (message: Report): Promise<void> =>
  new Promise(resolve => {
    process.once('disconnect', resolve)
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve())
    else resolve()
  })
