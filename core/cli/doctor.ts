import { homedir } from 'node:os'
import { usualPlaces } from '../discover.ts'
import { diagnose } from './doctor/diagnose.ts'
import { printReport, reportOf } from './doctor/report.ts'
import type { PluginSet } from './judge-plugins.ts'
import { print } from './output.ts'

/** What the command line says. */
export interface DoctorOptions {
  readonly config?: string | undefined
  readonly json: boolean
}

/** `gatehouse doctor`: what is found, what is wrong and how to fix it. Resolves with the exit code: 1 when something is wrong. */
export async function doctorCommand({ config, json }: DoctorOptions, plugins: PluginSet): Promise<number> {
  const { env } = process
  const found = await diagnose({
    config,
    env,
    cwd: process.cwd(),
    home: homedir(),
    now: Date.now,
    plugins,
    places: usualPlaces,
  })
  const report = reportOf(found)
  await print(json ? `${JSON.stringify(report, null, 2)}\n` : printReport(report))
  return report.ok ? 0 : 1
}
