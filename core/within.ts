/** True when `work` is done within the time; it is not stopped when it is not. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<false>()
  const timer = setTimeout(late.resolve, ms, false)
  const done = await Promise.race([work.then(() => true), late.promise])
  clearTimeout(timer)
  return done
}
