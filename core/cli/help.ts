import { version } from '../version.ts'

/** What `gatehouse --help` prints. */
export const help = `gatehouse ${version}: one front door for the language models you run yourself

Usage: gatehouse [command] [options]

Commands
  serve      serve the configured backends (the default)
  demo       serve the built-in echo model: a first request with nothing else installed
  version    print the version

Options of serve and demo
  -c, --config FILE   config file (default: ./gatehouse.yaml, then ~/.gatehouse/gatehouse.yaml)
      --host ADDRESS  address to listen on (default: 127.0.0.1 and ::1)
  -p, --port PORT     port (default: 11435; 0 takes any free one)
      --demo          serve: without a config, offer the echo model beside what is found

  -h, --help          this text
  -v, --version       print the version

Without a config file gatehouse looks for Ollama, llama-server, vLLM and LM Studio on this machine.
Settings also come from the environment and .env: OLLAMA_HOST, API_KEY, PORT, HOST, AUTH, TIMEOUT, …
`
