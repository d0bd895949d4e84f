import { version } from '../version.ts'

/** What `gatehouse --help` prints. */
export const help = `gatehouse ${version}: one front door for the language models you run yourself

Usage: gatehouse [command] [options]

Commands
  serve           serve the configured backends (the default)
  demo            serve the built-in echo model: a first request with nothing else installed
  config check    print the settings, where each comes from, and what is wrong with them
  config schema   print the JSON Schema of gatehouse.yaml, for editors
  doctor          say what is found, what can be reached, what is wrong and how to fix it
  key list        the keys of a running gatehouse; also show, create, update, rotate and delete
  model list      its models; also create, update and delete
  sync            ask its backends for their models, and make those that are missing
  ps              the models that it runs itself: their states, memory and requests
  load MODEL      start one of them, and wait until it is ready
  unload MODEL    stop one, or --all, when their requests are over
  logs [MODEL]    what one of them writes; -f goes on
  usage           what was used, by key, model, backend or day
  audit           who changed what
  backup FILE     copy the database into a new file, while gatehouse serves or not
  cache stats     what the cache of a running gatehouse holds, and what it has saved
  cache clear     forget the answers in it, or those of one model
  admin reset     make a new admin key in place of the old one
  version         print the version (--json: as JSON)

Options of serve and demo
  -c, --config FILE   config file (default: the first that is there, see gatehouse config --help)
      --host ADDRESS  address to listen on (default: 127.0.0.1 and ::1)
  -p, --port PORT     port (default: 11435; 0 takes any free one)
      --demo          serve: without a config, offer the echo model beside what is found

Options of key, model, sync, ps, load, unload, logs, usage, audit, cache and admin, which speak to a running gatehouse
  -s, --server URL    which one (default: the one that serves from the data folder of the config)
  -k, --api-key KEY   its admin key; not needed on its own machine
      --json          print JSON

  -h, --help          this text; after a command, its own
  -v, --version       print the version

Without a config file gatehouse looks for Ollama, llama-server, vLLM and LM Studio on this machine.
Settings also come from the environment and .env: OLLAMA_HOST, API_KEY, PORT, HOST, AUTH, TIMEOUT, …
`

/** What `gatehouse serve --help` and `gatehouse demo --help` print. */
export const serveHelp = `Usage: gatehouse [serve | demo] [options]

serve runs the gateway until a signal stops it; demo does so with the built-in echo model alone.

  -c, --config FILE   config file (default: the first that is there, see gatehouse config --help)
      --host ADDRESS  address to listen on (default: 127.0.0.1 and ::1)
  -p, --port PORT     port (default: 11435; 0 takes any free one)
      --demo          serve: without a config, offer the echo model beside what is found
  -h, --help          this text
`

/** What `gatehouse config --help` prints. */
export const configHelp = `Usage: gatehouse config check [--config FILE] [--json]
       gatehouse config schema

check prints the settings as they count here, where each comes from, and hides secrets. It exits with 1
and one line on stderr for everything that is wrong.
schema prints the JSON Schema of gatehouse.yaml. Kept in a file, editors that know yaml-language-server
use it when the config begins with
  # yaml-language-server: $schema=./gatehouse.schema.json

  -c, --config FILE   config file; left out, the first of
                        ./gatehouse.yaml, ~/.gatehouse/gatehouse.yaml   (or .yml)
                        ./llamagate.yaml, ~/.llamagate/llamagate.yaml   (LlamaGate's)
                        ./configs/config.yaml                           (ModelGate's)
                        ./config.yaml                                   (LlamaWrapper's)
      --json          check: as JSON
  -h, --help          this text
`

/** What `gatehouse version --help` prints. */
export const versionHelp = `Usage: gatehouse version [--json]

      --json          as JSON: {"version":"${version}"}
  -h, --help          this text
`

/** What `gatehouse doctor --help` prints. */
export const doctorHelp = `Usage: gatehouse doctor [--config FILE] [--json]

Says what is found, what can be reached, what is wrong and how to fix it. Exits with 1 when something is wrong.

  -c, --config FILE   config file (default: the first that is there, see gatehouse config --help)
      --json          as JSON
  -h, --help          this text
`

/** Options of every command that speaks to a running gatehouse. */
export const remoteHelp = `  -s, --server URL    the gatehouse that is meant (default: GATEHOUSE_SERVER or MODELGATE_SERVER, else the one that
                      serves from the data folder of the config; that one needs no key)
  -k, --api-key KEY   its admin key (default: GATEHOUSE_ADMIN_API_KEY or MODELGATE_API_KEY, which no list of
                      processes shows)
  -c, --config FILE   config file (default: the first that is there, see gatehouse config --help)`

/** What `gatehouse cache --help` prints. */
export const cacheHelp = `Usage: gatehouse cache stats [--json] [options]
       gatehouse cache clear [--model NAME] [--json] [options]

stats prints what the cache of a running gatehouse holds, how often it had an answer, and what that saved.
clear forgets all answers, and prints how many there were.

      --model NAME    clear: only the answers of this model
      --json          as JSON
${remoteHelp}
  -h, --help          this text
`

/** What `gatehouse admin --help` prints. */
export const adminHelp = `Usage: gatehouse admin reset [--json] [options]

reset makes a new admin key in place of the old one, which counts no more, and prints it, this once. A gatehouse
that runs takes it over at once; it need not run. A key that is set (ADMIN_API_KEY, admin.api_key) is changed
where it is set.

      --json          as JSON: {"key":"sk-admin-…"}
${remoteHelp}
  -h, --help          this text
`

/** What `gatehouse usage --help` prints. */
export const usageHelp = `Usage: gatehouse usage [--key ID] [--from DAY] [--to DAY] [--by WHAT] [--json] [options]

Prints the requests, tokens, errors and times of a running gatehouse.

      --key ID        of this key alone
      --from DAY      the first day, such as 2026-01-01, in UTC (default: 29 days before the last)
      --to DAY        the last day, which is in it (default: today)
      --by WHAT       a line for each key, model, backend, target (a backend and its model), day or end user
                      (user), or several: day,model
                      (default: key; with --key: day)
      --json          as JSON
${remoteHelp}
  -h, --help          this text
`

/** What `gatehouse audit --help` prints. */
export const auditHelp = `Usage: gatehouse audit [--limit N] [--json] [options]

Prints who changed which key, model or setting of a running gatehouse, when, and how; the newest first.

      --limit N       so many (default: 100; none: all)
      --json          as JSON
${remoteHelp}
  -h, --help          this text
`

/** What `gatehouse backup --help` prints. */
export const backupHelp = `Usage: gatehouse backup FILE [--json] [--config FILE]

Copies the database (keys, models, usage, audit) into a new file, as it is at one moment, whether gatehouse serves from
it or not. The file is for its owner alone; one that is there already is left alone. To go back to it, stop gatehouse
and put it in the place of gatehouse.db, without the -wal and -shm that may lie there.

      --json          as JSON: {"file":"…","bytes":…,"database":"…"}
  -c, --config FILE   config file (default: the first that is there, see gatehouse config --help)
  -h, --help          this text
`
