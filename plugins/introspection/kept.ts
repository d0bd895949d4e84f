/** A value that is costly to find out: found once, then again in the background when it has become old. */
export interface Kept<T> {
  /** The value. Waits only for the first one; callers that come at the same time share it. */
  get(): Promise<T>
  /** The last value, at once, and starts to find out a newer one when it is old. Undefined when there is none yet. */
  peek(): { readonly value: T } | { readonly error: unknown } | undefined
}

export interface KeptOptions<T> {
  readonly load: () => Promise<T>
  /** A failure counts as long, so that nobody can make us try on every call. */
  readonly freshMs: number
  readonly now: () => number
}

/** Nothing is loaded before somebody asks. When a reload fails, the old value stays. */
export function keep<T>({ load, freshMs, now }: KeptOptions<T>): Kept<T> {
  let last: { readonly value: T } | { readonly error: unknown } | undefined
  let loadedAt = Number.NEGATIVE_INFINITY
  let loading: Promise<void> | undefined

  const refresh = () => {
    loading ??= load()
      .then(
        value => {
          last = { value }
        },
        (error: unknown) => {
          if (!last || 'error' in last) last = { error }
        },
      )
      .finally(() => {
        loadedAt = now()
        loading = undefined
      })
    return loading
  }
  const peek = () => {
    if (now() - loadedAt >= freshMs) refresh()
    return last
  }

  return {
    peek,
    async get() {
      if (!peek()) await refresh()
      const known = last as NonNullable<typeof last>
      if ('error' in known) throw known.error
      return known.value
    },
  }
}
