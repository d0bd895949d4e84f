import type { Refusal } from '../behaviour/scenario.ts'
import type { Reply, Writer } from '../behaviour/writer.ts'

/** What an endpoint needs that answers in one piece: embeddings, images, audio, reranking. */
export interface FixedAnswer {
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>
  refuse(why: Refusal | 'fail'): Reply
}

/** Answers with a given body whatever the model says, so that the models that refuse, wait and break do so here too. */
export function fixedWriter({ body, headers, refuse }: FixedAnswer): Writer {
  const nothing = () => []
  return {
    streaming: false,
    streamHeaders: {},
    wholeHeaders: headers,
    begin: nothing,
    text: nothing,
    think: nothing,
    calls: nothing,
    finish: nothing,
    fail: nothing,
    whole: () => body,
    refuse,
  }
}
