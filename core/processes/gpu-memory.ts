/** The memory that processes hold on NVIDIA's GPUs, in bytes by their ids. Empty where there are none. Never rejects. */
export type AskGpuMemory = () => Promise<ReadonlyMap<number, number>>

/** Asking takes this long at most; a driver in trouble can hold `nvidia-smi` for ever. */
const longestMs = 5_000
/** After this many failures in a row it is not asked any more. */
const patience = 3

/** Asks `nvidia-smi`, if there is one. */
export function createGpuMemory(find: () => string | null = () => Bun.which('nvidia-smi')): AskGpuMemory {
  let failures = 0
  let command: string | null | undefined
  return async () => {
    command ??= find()
    if (command === null || failures >= patience) return new Map()
    const text = await ask(command)
    failures = text === undefined ? failures + 1 : 0
    return parseGpuMemory(text ?? '')
  }
}

async function ask(command: string): Promise<string | undefined> {
  try {
    const child = Bun.spawn([command, '--query-compute-apps=pid,used_gpu_memory', '--format=csv,noheader,nounits'], {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'ignore',
      windowsHide: true,
      timeout: longestMs,
      killSignal: 'SIGKILL',
    })
    const text = await child.stdout.text()
    return (await child.exited) === 0 ? text : undefined
  } catch {
    return undefined
  }
}

/** Lines like `1234, 5678`, in MiB; a process has one for each GPU. Where the driver does not tell, it says `[N/A]`. */
export function parseGpuMemory(text: string): ReadonlyMap<number, number> {
  const found = new Map<number, number>()
  for (const line of text.split('\n')) {
    const [, pid, mebibytes] = /^\s*(\d+)\s*,\s*(\d+)\s*(?:MiB)?\s*$/.exec(line) ?? []
    if (pid !== undefined) found.set(Number(pid), (found.get(Number(pid)) ?? 0) + Number(mebibytes) * 1_048_576)
  }
  return found
}
