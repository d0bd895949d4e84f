/**
 * What other programs need to run: where things are, the language, temporary folders, certificates, and the
 * settings of GPUs and their drivers. Names of one system do no harm on the others.
 */
const passedOn = new RegExp(
  `^(${[
    'path|home|user|logname|shell|lang|language|lc_[a-z]+|tz|tmpdir|tmp|temp|xdg_[a-z_]+|ssl_cert_(file|dir)',
    // Windows starts little without these
    'systemroot|systemdrive|windir|comspec|pathext|os|number_of_processors|processor_[a-z0-9]+|username|userprofile|userdomain',
    'homedrive|homepath|appdata|localappdata|programdata|allusersprofile|public',
    '(common)?program(files|w6432)(\\(x86\\))?',
    // GPUs: NVIDIA, AMD, Intel, Apple, Vulkan
    'cuda_[a-z0-9_]+|nvidia_(visible_devices|driver_capabilities)|hip_[a-z0-9_]+|rocr_[a-z0-9_]+|hsa_[a-z0-9_]+|rocm_[a-z0-9_]+',
    'gpu_[a-z0-9_]+|ze_[a-z0-9_]+|oneapi_[a-z0-9_]+|sycl_[a-z0-9_]+|metal_[a-z0-9_]+|vk_[a-z0-9_]+|ggml_[a-z0-9_]+|omp_[a-z0-9_]+',
    '(ld|dyld(_fallback)?)_library_path',
  ].join('|')})$`,
  'i',
)

const neverPassedOn = /key|token|secret|passw|credential/i

/** The part of our environment that another program may see: nothing of ours, and no secrets. */
export const safeEnvironment = (env: NodeJS.ProcessEnv): Record<string, string> =>
  pick(env, name => passedOn.test(name) && !neverPassedOn.test(name))

/** The variables whose names are wanted. */
export const pick = (env: NodeJS.ProcessEnv, wanted: (name: string) => boolean): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && wanted(entry[0])))
