import { nowInSeconds } from '../behaviour/numbers.ts'
import type { Reply } from '../behaviour/writer.ts'
import { llamaHeaders } from './errors.ts'

/** A whole answer of llama-server. */
export function llamaReply(body: unknown): Reply {
  return { status: 200, body, headers: { ...llamaHeaders, 'keep-alive': 'timeout=5, max=100' } }
}

/** `GET /v1/models`: Ollama's list and OpenAI's in one (server-context.cpp, get_res_models). */
export function llamaModels(names: readonly string[]): Reply {
  const details = { parent_model: '', format: 'gguf', family: '', families: [''], parameter_size: '', quantization_level: '' }
  const meta = {
    vocab_type: 1,
    n_vocab: 354,
    n_ctx: 4096,
    n_ctx_train: 8192,
    n_embd: 64,
    n_params: 127_552,
    size: 510_208,
    ftype: 'all F32',
  }
  return llamaReply({
    models: names.map(name => ({
      name,
      model: name,
      modified_at: '',
      size: '',
      digest: '',
      type: 'model',
      description: '',
      tags: [''],
      capabilities: ['completion'],
      parameters: '',
      details,
    })),
    object: 'list',
    data: names.map(id => ({ id, aliases: [id], tags: [], object: 'model', created: nowInSeconds(), owned_by: 'llamacpp', meta })),
  })
}

/** `GET /props`, shortened to what a client looks at (server-context.cpp, get_res_props). */
export function llamaProps(model: string, more: Readonly<Record<string, unknown>> = {}): Reply {
  return llamaReply({
    default_generation_settings: { params: { temperature: 0.8, top_k: 40, n_predict: -1, stream: false }, n_ctx: 4096 },
    total_slots: 4,
    model_alias: model,
    model_ftype: 'all F32',
    model_path: '/models/fake.gguf',
    modalities: { vision: true, video: false, audio: false },
    endpoint_slots: true,
    endpoint_props: false,
    endpoint_metrics: false,
    chat_template: '{{ messages }}',
    chat_template_caps: { supports_tools: true, supports_tool_calls: true, supports_parallel_tool_calls: true, supports_system_role: true },
    bos_token: '<s>',
    eos_token: '</s>',
    build_info: 'b9000-0c1e57098',
    is_sleeping: false,
    ...more,
  })
}
