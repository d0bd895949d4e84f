/**
 * Departures from OpenAI's shapes that real servers have made; a normaliser has to put each right.
 * Behind each: where it was seen.
 */
export const slips = {
  // Ollama's /v1 (ollama/ollama#7881), mistral.rs (#1507), Gemini's OpenAI endpoint (openai/openai-python#3246).
  'slip-no-index': 'tool call deltas without `index`',
  // GLM behind Mistral, NVIDIA NIM, StepFun; SGLang for calls after the first (sgl-project/sglang#7048).
  'slip-no-id': 'tool calls without `id`',
  // llama-server, when the first token falls inside a character: its role delta is skipped.
  'slip-no-role': 'no delta has a `role`',
  // Gemini's OpenAI endpoint; Ollama's /v1 after it stopped a repeating model.
  'slip-no-finish': 'the stream ends without a finish_reason',
  // text-generation-inference (#2221), ik_llama.cpp (#467), text-generation-webui (oobabooga/textgen#4778).
  'slip-no-done': 'the stream ends without [DONE]',
  // LiteLLM (BerriAI/litellm#11407), Foundry Local (microsoft/foundry-local#144), older Ollama.
  'slip-role': '`role` in each delta',
  // OpenRouter (QwenLM/qwen-code#2403, langchain-ai/langchain#38349), LM Studio.
  'slip-two-finish': 'finish_reason a second time',
  // vLLM with continuous_usage_stats, xAI, Perplexity.
  'slip-usage-inline': '`usage` on each chunk, asked for or not',
  // vLLM and OpenAI with a named tool_choice (vllm-project/vllm#25054), Gemini (googleapis/python-genai#2868), mlx-vlm (#990).
  'slip-stop-for-tools': 'finish_reason "stop" although tools were called',
  // sse-starlette, under llama-cpp-python; OpenRouter's comments.
  'slip-crlf': 'CRLF line ends and comment lines',
  // llama-server in 2024 (ggml-org/llama.cpp#5876), Foundry Local (#144), LiteLLM (#1571).
  'slip-id': 'another id in each chunk',
  // text-generation-inference (#2136), llama-server in March 2026 (ggml-org/llama.cpp#20198).
  'slip-args-object': 'arguments as an object',
  // llama-server's first delta; many proxies in every delta.
  'slip-null-content': '`content: null` where there is no text',
} as const

/** The name of a slip. */
export type Slip = keyof typeof slips

/** The slip that a model name asks for. */
export function slipOf(model: string): Slip | undefined {
  return Object.hasOwn(slips, model) ? (model as Slip) : undefined
}
