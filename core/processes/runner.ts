import type { Order, Report, Stop } from './messages.ts'
import { outliveParent } from './parent-death.ts'
import { endGroup } from './process-group.ts'

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
  outliveParent()
  const order = await firstOrder()
  const child = start(argv, order)
  if (child instanceof Error) {
    await report({ error: child.message })
    process.exit(127)
  }
  let ended: Promise<void> | undefined
  const end = (graceMs: number) => {
    ended ??= endGroup(child.pid, graceMs)
    return ended
  }
  process.on('message', (stop: Stop) => end(stop.stopMs))
  process.on('disconnect', () => end(order.graceMs))
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => end(order.graceMs))
  if (!process.connected) end(order.graceMs)
  report({ pid: child.pid })
  const code = await child.exited
  await end(order.graceMs) // of whatever it has left behind
  const signal = child.signalCode
  await report({ exit: signal === null ? { code, signal } : { code: null, signal: String(signal) } })
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
function start(argv: readonly string[], { env, cwd }: Order) {
  try {
    return Bun.spawn([...argv], {
      cwd,
      env: { ...env },
      detached: process.platform !== 'win32',
      stdin: 'ignore',
      stdout: 'inherit',
      stderr: 'inherit',
      windowsHide: true,
    })
  } catch (error) {
    return error as Error
  }
}

/** Resolves when the house has it, or is gone and wants it no more: then the channel never says that it was sent. */
const report = (message: Report): Promise<void> =>
  new Promise(resolve => {
    process.once('disconnect', resolve)
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve())
    else resolve()
  })
