import { size } from '../cache-lines.ts'
import { count, type Row, time, words } from '../table/texts.ts'
import type { Column } from '../table.ts'

/** The models that a gatehouse runs itself, as a table. */
export const processColumns: readonly Column<Row>[] = [
  { name: 'MODEL', least: 16, text: ({ model }) => words(model) },
  { name: 'STATE', text: ({ state }) => words(state) },
  { name: 'PID', right: true, spare: 3, text: ({ pid }) => words(pid) },
  { name: 'PORT', right: true, spare: 4, text: ({ port }) => words(port) },
  { name: 'MEMORY', right: true, text: ({ memory_bytes: bytes }) => size(bytes as number | null) },
  { name: 'IN FLIGHT', right: true, text: ({ in_flight: requests }) => count(requests) },
  { name: 'QUEUED', right: true, text: ({ queued }) => count(queued) },
  { name: 'RESTARTS', right: true, spare: 5, text: ({ restarts }) => count(restarts) },
  { name: 'EXIT', right: true, spare: 6, text: ({ exit_code: code }) => words(code) },
  { name: 'SINCE', spare: 2, text: ({ since }) => time(since) },
  { name: 'LAST USED', spare: 1, text: ({ last_used: at }) => time(at) },
]

/** How many lines of each model there are, as a table. */
export const logColumns: readonly Column<Row>[] = [
  { name: 'MODEL', least: 16, text: ({ model }) => words(model) },
  { name: 'LINES', right: true, text: ({ lines }) => count(lines) },
]
