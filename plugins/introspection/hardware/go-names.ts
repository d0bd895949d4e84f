/** Operating systems and processors as Go names them: LlamaGate's clients know those. */
const goNames: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris', x64: 'amd64', ia32: '386' }

/** Node's name for a platform or an architecture, as Go has it. */
export const goName = (name: string): string => goNames[name] ?? name
