import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alwaysOn, builtIn, reserved } from '../../../../plugins/index.ts'
import * as gatehouse from '../../../index.ts'
import { provideModule } from '../../../plugins.ts'
import { listenOnFreePort } from '../../../testing/server/free-port.ts'
import { diagnose, type Surroundings } from '../diagnose.ts'
import type { NamedFinding } from '../finding.ts'

provideModule('gatehouse', gatehouse)

/** A made-up machine for the doctor to look at. */
export interface Patient {
  /** gatehouse.yaml as an object, or as it is written. The port is a free one unless it says otherwise. */
  readonly yaml?: Readonly<Record<string, unknown>> | string
  readonly env?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  readonly places?: Surroundings['places']
  /** Called with the folder that is working directory and home, before the doctor comes. */
  readonly prepare?: (folder: string) => void | Promise<void>
}

/** What the doctor says of a machine, with `CWD` for its folder. */
export async function examine({ yaml, env = {}, files = {}, places = [], prepare }: Patient): Promise<readonly NamedFinding[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-doctor-'))
  const shown = (text: string) => text.replaceAll(folder, 'CWD')
  try {
    for (const [name, text] of Object.entries(files)) await Bun.write(join(folder, name), text)
    mkdirSync(join(folder, 'bin'), { recursive: true })
    if (typeof yaml === 'string') await Bun.write(join(folder, 'gatehouse.yaml'), yaml)
    else if (yaml) await Bun.write(join(folder, 'gatehouse.yaml'), JSON.stringify({ port: await freePort(), ...yaml }))
    await prepare?.(folder)
    const found = await diagnose({
      env: { PATH: join(folder, 'bin'), ...env },
      cwd: folder,
      home: folder,
      now: Date.now,
      plugins: { builtIn, reserved, alwaysOn },
      places,
    })
    return found.map(finding => ({ ...finding, message: shown(finding.message), ...(finding.fix && { fix: shown(finding.fix) }) }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The findings of one check, as `status: message → fix`. */
export const linesOf = (findings: readonly NamedFinding[], name: string): readonly string[] =>
  findings.filter(finding => finding.name === name).map(({ status, message, fix }) => `${status}: ${message}${fix ? ` → ${fix}` : ''}`)

/** A port nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listenOnFreePort(server)
  await new Promise(resolve => server.close(resolve))
  return port
}

/** A program in the machine's PATH that does nothing. */
export async function installProgram(folder: string, name: string): Promise<void> {
  await Bun.write(join(folder, 'bin', name), '#!/bin/sh\n')
  Bun.spawnSync(['chmod', '+x', join(folder, 'bin', name)])
}
