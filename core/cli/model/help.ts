import { remoteHelp } from '../help.ts'

/** What `gatehouse model --help` prints. */
export const modelHelp = `Usage: gatehouse model list [--search TEXT] [--limit N] [--json]
       gatehouse model create -n NAME -b BACKEND [-u BASE_URL] [settings] [--json]
       gatehouse model update [settings] ID [--json]
       gatehouse model delete ID [--json]

The models of a running gatehouse. Those of its config file are in the list, and are changed in the file; those made
here are in its database. Both names and addresses count at once.

Settings of create and update
  -n, --name NAME             what clients ask for
  -b, --backend BACKEND       a backend of the config; or a type with -u: ollama, vllm, llamacpp, openai,
                              openai-compatible (ModelGate's api3)
  -u, --base-url URL          where the server is, when -b is a type; none takes it away
      --upstream-model NAME   its name at the server; none: the same
  -e, --enabled BOOLEAN       true or false

      --search TEXT   list: names with this text
      --limit N       list: no more than so many (default: all)
      --json          as JSON
${remoteHelp}
  -h, --help          this text
`

/** What `gatehouse sync --help` prints. */
export const syncHelp = `Usage: gatehouse sync [--dry-run] [-b BACKEND] [--json] [options]

Asks every backend of a running gatehouse for its models, makes those that are missing, and removes those that it
made before and the backend has no longer. A backend that does not answer loses nothing; then the exit code is 1.

      --dry-run       only say what would happen
  -b, --backend NAME  ask this one alone
      --json          as JSON
${remoteHelp}
  -h, --help          this text
`
