/** A gatehouse that listens, in a process of its own. Disposing kills it. */
export interface RunningBinary extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** Interrupts it, as Ctrl+C does; its exit code. */
  stop(): Promise<number>
}

export interface StartOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** When it is killed at the latest. */
  readonly lifeMs?: number
}

/** Starts a command that ends in gatehouse, and waits for the log line with its port; an error with what it said when it ends first. */
export async function startBinary(command: readonly string[], { cwd, env, lifeMs = 60_000 }: StartOptions): Promise<RunningBinary> {
  const child = Bun.spawn([...command], {
    cwd,
    env: { ...env },
    timeout: lifeMs,
    killSignal: 'SIGKILL',
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const said = child.stderr.text()
  const port = await readPort(child.stdout)
  if (port === undefined) throw new Error(`${command.join(' ')} ended with ${await child.exited} before it listened\n${await said}`)
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid,
    stop() {
      child.kill('SIGINT')
      return child.exited
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

/** Reads on after the port was found, so that the pipe never fills. */
async function readPort(stdout: ReadableStream<Uint8Array>): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const read = async () => {
    const decoder = new TextDecoder()
    let text = ''
    for await (const bytes of stdout) {
      text += decoder.decode(bytes, { stream: true })
      const port = text.match(/"port":(\d+)/)?.[1]
      if (port !== undefined) resolve(port)
    }
    resolve(undefined)
  }
  void read()
  return await promise
}

/** One whole answer of the echo model to `content`. */
export async function askEcho(url: string, content: string): Promise<string | undefined> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content }] }),
    signal: AbortSignal.timeout(30_000),
  })
  if (!response.ok) throw new Error(`chat ended with ${response.status}: ${await response.text()}`)
  const answer = (await response.json()) as { choices: { message: { content: string } }[] }
  return answer.choices[0]?.message.content
}
