/** How a stand-in behaves besides answering; it stands at the end of its model file. Left out, nothing special happens. */
export interface Behaviour {
  /** Before it listens. */
  readonly listenDelayMs?: number
  /** From listening to the first 200 of `/health`; until then it is 503, as everything else. */
  readonly loadMs?: number
  /** It asks `GET <url>?port=…&model=…&pid=…` before it listens, and waits for the answer: the moment to take its port, for example. */
  readonly askBeforeListening?: string
  /** It ends with this code instead of listening. */
  readonly exitAtStart?: number
  /** It ends with this code when it should be ready. */
  readonly exitAfterLoading?: number
  /** It ends with code 134 as the n-th request to the model comes in, before any byte of an answer. */
  readonly crashAtRequest?: number
  /** It takes connections and never answers: from the start, or from the n-th request to the model on. */
  readonly hang?: 'start' | number
  /** It does not listen to SIGTERM. */
  readonly deaf?: boolean
  /** The code with which it ends on SIGTERM (0). */
  readonly exitCode?: number
  /** Programs it starts: in its own group, in a session of their own and without a parent, or that and deaf to SIGTERM. */
  readonly grandchildren?: readonly Grandchild[]
  /** So many lines on stdout and as many on stderr, at the start. */
  readonly noise?: number
  /** So much memory it holds besides its own. */
  readonly memoryBytes?: number
}

export type Grandchild = 'plain' | 'own-session' | 'deaf'

const before = '\nstand-in: '

/** The bytes of a behaviour at the end of a model file. */
export const encodeBehaviour = (behaviour: Behaviour): Buffer => Buffer.from(before + JSON.stringify(behaviour))

/** Reads it back; a real model has none. */
export function decodeBehaviour(file: Buffer): Behaviour {
  const at = file.lastIndexOf(before)
  return at < 0 ? {} : (JSON.parse(file.toString('utf8', at + before.length)) as Behaviour)
}
