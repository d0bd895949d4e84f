import type { Logger } from 'pino'
import type { OutputBuffer } from './output-buffer.ts'
import type { ProcessFailure } from './server-process-errors.ts'
import type { Run } from './server-process-run.ts'

/** What is told of a process, in the log of the house and among its own output. */
export interface Tell {
  ready(run: Run, loadMs: number): void
  stopped(): void
  /** It is started again after a pause. */
  lost(message: string, pauseMs: number): void
  /** A start that nobody has asked for, after a crash or for `preload`, is not to be. */
  notBrought(reason: unknown): void
  failed(failure: ProcessFailure, exitCode: number | undefined): void
  warn(facts: object, message: string): void
  bug(err: unknown): void
}

/** Tells of one model. */
export const createTell = (model: string, output: OutputBuffer, log: Logger): Tell => ({
  ready({ child, address }, loadMs) {
    log.info({ model, pid: child.pid, port: address.port, load_ms: Math.round(loadMs) }, 'Model process is ready')
  },
  stopped() {
    output.add('stopped', 'gatehouse')
    log.info({ model }, 'Model process is stopped')
  },
  lost(message, pauseMs) {
    output.add(message, 'gatehouse')
    log.warn({ model, reason: message, again_in_ms: pauseMs }, 'Model process is lost; it is started again')
  },
  notBrought(reason) {
    const message = (reason as Error).message
    output.add(`not loaded: ${message}`, 'gatehouse')
    log.warn({ model, reason: message }, 'Model process is not loaded before somebody asks for it')
  },
  failed({ message, lines, at, retryAt }, exitCode) {
    output.add(message, 'gatehouse')
    log.error({ model, reason: message, exit_code: exitCode, again_in_ms: retryAt - at, said: lines }, 'Model process has failed')
  },
  warn: (facts, message) => log.warn({ model, ...facts }, message),
  bug: err => log.error({ model, err }, 'A change of a model process has failed; this is a bug'),
})
