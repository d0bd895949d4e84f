import { remoteHelp } from '../help.ts'

/** What `gatehouse ps --help` prints. */
export const psHelp = `Usage: gatehouse ps [--json] [options]

Prints the models that a running gatehouse runs itself, whether they are loaded or not: what each is about, its memory,
the requests that it answers and those that wait for it. Times are in UTC.

      --json          as JSON
${remoteHelp}
  -h, --help          this text
`

/** What `gatehouse load --help` prints. */
export const loadHelp = `Usage: gatehouse load MODEL [--no-wait] [--json] [options]

Starts a model that a running gatehouse runs itself, and waits until it is ready; others may be unloaded to make room for
it. On a terminal it says meanwhile how far it is. Whoever ends it ends the waiting, not the load.

      --no-wait       do not wait
      --json          as JSON: its row of gatehouse ps
${remoteHelp}
  -h, --help          this text
`

/** What `gatehouse unload --help` prints. */
export const unloadHelp = `Usage: gatehouse unload MODEL [--force] [--json] [options]
       gatehouse unload --all [--force] [--json] [options]

Stops a model that a running gatehouse runs itself, or all of them, and waits for that. Its requests finish first; the
next request for it loads it again.

      --all           all models
      --force         do not wait for requests: they end with an error
      --json          as JSON: its row of gatehouse ps, or those of all
${remoteHelp}
  -h, --help          this text
`

/** What `gatehouse logs --help` prints. */
export const logsHelp = `Usage: gatehouse logs [--json] [options]
       gatehouse logs MODEL [-n N] [-f] [--json] [options]

Prints what the program of a model has written, as far as a running gatehouse keeps it: the last 1000 lines, of earlier
starts too. Without a model, how many lines of each there are.

  -n, --tail N        only the last N lines
  -f, --follow        go on with every new line, until it is ended
      --json          as JSON; with -f an object for each line
${remoteHelp}
  -h, --help          this text
`
