import { closeSync, openSync, readFileSync } from 'node:fs'

/**
 * Answers, when SIGHUP comes, whether the terminal gatehouse was started from is gone; then nothing must be left behind.
 * False where there never was one (a service), where it is still there (`kill -HUP`, logrotate), and under `nohup`.
 */
export function watchTerminal(): () => boolean {
  const had = hasTerminal()
  const unheeded = ignoresHangUp()
  return () => had && !unheeded && !hasTerminal()
}

function hasTerminal(): boolean {
  if (process.platform === 'win32') return false
  try {
    closeSync(openSync('/dev/tty', 'r+'))
    return true
  } catch {
    return false
  }
}

/** `nohup` has SIGHUP ignored, and sends what would go to the terminal elsewhere. */
function ignoresHangUp(): boolean {
  try {
    const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    if (ignored !== undefined) return (BigInt(`0x${ignored}`) & 1n) === 1n
  } catch {}
  return !process.stdout.isTTY && !process.stderr.isTTY
}
