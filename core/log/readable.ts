import { clean } from './clean.ts'

/** A line of the log as it is in JSON. */
type Line = Readonly<Record<string, unknown>>

/** A line for people: local time, what happened, what matters. `message` of access lines is `accessMessage`. */
export function readable(json: string, accessMessage: string, colours: boolean): string {
  const line = JSON.parse(json) as Line
  const paint = colours ? colour : plain
  const text = line.message === accessMessage && typeof line.status === 'number' ? accessText(line, paint) : otherText(line, paint)
  return `${paint('dim', clock(line.time))} ${text}\n`
}

type Paint = (style: keyof typeof styles, text: string) => string

const styles = { dim: 2, red: 31, yellow: 33, cyan: 36 } as const
const colour: Paint = (style, text) => `\u001b[${styles[style]}m${text}\u001b[0m`
const plain: Paint = (_, text) => text

function accessText(line: Line, paint: Paint): string {
  const { method, path, status, latency, model, key_id, ip, request_id } = line
  const style = (status as number) >= 500 ? 'red' : (status as number) >= 400 ? 'yellow' : undefined
  const parts = [
    shown(method),
    shown(path),
    style ? paint(style, String(status)) : String(status),
    typeof latency === 'number' ? duration(latency) : '-',
    ...(model === undefined ? [] : [shown(model)]),
    ...(key_id === undefined ? [] : [`key=${shown(key_id)}`]),
    shown(ip),
    paint('dim', `id=${shown(request_id)}`),
  ]
  return parts.join(' ')
}

function otherText({ level, time: _, message, err, ...fields }: Line, paint: Paint): string {
  const name = clean(String(level)).padEnd(5)
  const style = levelStyles[String(level)]
  const rest = Object.entries(fields).map(([key, value]) => ` ${paint('dim', `${clean(key)}=`)}${shown(value)}`)
  return `${style ? paint(style, name) : name} ${clean(String(message ?? ''))}${rest.join('')}${errorText(err, paint)}`
}

const levelStyles: Readonly<Record<string, 'dim' | 'red' | 'yellow' | undefined>> = {
  debug: 'dim',
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
}

/** What it is on the line itself, where it was thrown indented below. */
function errorText(error: unknown, paint: Paint): string {
  if (typeof error !== 'object' || error === null) return error === undefined ? '' : ` err=${shown(error)}`
  const { type, message, stack, cause, ...rest } = error as Line
  const fields = Object.entries(rest).map(([key, value]) => ` ${clean(key)}=${shown(value)}`)
  const head = ` err=${shown(type)}${message === undefined ? '' : `: ${clean(String(message))}`}${fields.join('')}`
  const frames = typeof stack === 'string' ? stack.split('\n').map(frame => `\n    ${paint('dim', clean(frame))}`) : []
  return `${head}${frames.join('')}${cause === undefined ? '' : `\n    caused by${errorText(cause, paint)}`}`
}

/** One word as it is; everything else in quotes, so that no value looks like another field. */
function shown(value: unknown): string {
  if (value === undefined) return '-'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return clean(typeof value === 'string' && !/^[^\s"=]+$/.test(text) ? JSON.stringify(text) : text)
}

function clock(time: unknown): string {
  const date = new Date(typeof time === 'string' ? time : Number.NaN)
  if (Number.isNaN(date.getTime())) return '--:--:--.---'
  const two = (number: number) => String(number).padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)}ms`
  if (ms < 1000) return `${Math.round(ms)}ms`
  const seconds = ms / 1000
  return seconds < 60 ? `${seconds.toFixed(1)}s` : `${Math.floor(seconds / 60)}m${String(Math.floor(seconds % 60)).padStart(2, '0')}s`
}
