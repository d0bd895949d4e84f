/** Runs a script to its end and returns what it printed; throws with all of its output when it fails. */
export async function runScript(command: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  // what the shell exports as OPENAI_… or MODEL must not reach a script that is given its own
  const { OPENAI_BASE_URL: _url, OPENAI_API_KEY: _key, MODEL: _model, ...inherited } = process.env
  const child = Bun.spawn([...command], { env: { ...inherited, ...env }, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}\n${stdout}\n${stderr}`)
  return stdout
}
