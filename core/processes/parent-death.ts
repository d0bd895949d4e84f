import { dlopen } from 'bun:ffi'

const PR_SET_PDEATHSIG = 1

/**
 * `BUN_FEATURE_FLAG_NO_ORPHANS` makes the kernel kill our child when we are killed, which is what we want, and
 * kill us when our parent dies, which is not: then nobody would be left to end what the child has started.
 * So that half is taken back. Where it cannot be, the child still dies with us.
 */
export function outliveParent(): void {
  if (process.platform !== 'linux') return
  try {
    const { symbols } = dlopen('libc.so.6', { prctl: { args: ['int', 'u64', 'u64', 'u64', 'u64'], returns: 'int' } }) // musl answers to this name too
    symbols.prctl(PR_SET_PDEATHSIG, 0n, 0n, 0n, 0n)
  } catch {
    // a system that lets no program load code at run time
  }
}
