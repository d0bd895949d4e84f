import { remoteHelp } from '../help.ts'

/** What `gatehouse key --help` prints. */
export const keyHelp = `Usage: gatehouse key list [--search TEXT] [--limit N] [--json]
       gatehouse key show ID | NAME [--json]
       gatehouse key create -n NAME [settings] [--quiet | --json]
       gatehouse key update [settings] ID [--json]
       gatehouse key rotate ID [--grace 1h] [--quiet | --json]
       gatehouse key delete ID [--json]

The keys of a running gatehouse: who may use it, and how much. The first one closes it to those who have none.

create and rotate print the secret alone on stdout, this once, and a line for people on stderr, so
  KEY=$(gatehouse key create -n my-key -q 1000000 -r 60)
has just the secret; only its hash is kept. rotate makes a new secret in place of the old one, which ends at once,
or after --grace.

Settings of create and update (what create is not told is as the gatehouse has it by default)
  -n, --name NAME             for people
  -q, --quota N               tokens in each period (1000000); none: unlimited, 0: nothing
      --quota-period PERIOD   total, day or month (UTC)
  -r, --rate-limit N          requests per minute (60); none: unlimited
      --tokens-per-minute N   none: unlimited
      --max-concurrency N     requests at once; none: unlimited
  -i, --allowed-ips LIST      addresses and blocks, 10.0.0.0/8,::1 (all)
      --allowed-models LIST   names and patterns, 'qwen3*,smart' (all)
      --allowed-endpoints LIST  paths; default: models and MCP; none
      --allowed-tools LIST    names and patterns (none)
      --cache-scope SCOPE     with whom it shares cached answers: key, all, off or default
      --expires-at TIME       2027-01-31 (its beginning, UTC), 2027-01-31T18:00Z, 30d from now, or none
  -e, --enabled BOOLEAN       true or false
Lists have commas between their items, or are given several times.

      --search TEXT   list: names with this text, or secrets that begin with it
      --limit N       list: no more than so many (default: all)
      --grace TIME    rotate: how long the old secret is still good, 1h or 7d
      --quiet         create, rotate: nothing on stderr
      --json          as JSON
${remoteHelp}
  -h, --help          this text
`
