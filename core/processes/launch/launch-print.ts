import type { LaunchModel } from './launch.ts'

/** Differs whenever the process of a model would have to be another one. There may be secrets in it: keep it in memory. */
export function launchPrint(model: LaunchModel, llamaServer: string | undefined): string {
  const { name, command, health, env, cwd, stop } = model
  const process = [name, health, env, cwd, stop]
  if (command !== undefined) return JSON.stringify([...process, command])
  const { model_path, gpu_layers, context_size, threads, batch_size, slots, extra_args } = model
  return JSON.stringify([...process, llamaServer, model_path, gpu_layers, context_size, threads, batch_size, slots, extra_args])
}
