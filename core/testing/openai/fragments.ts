/** Cuts a text into the small fragments in which servers stream tool arguments. */
export function fragments(text: string): string[] {
  return text.match(/[\s\S]{1,5}/g) ?? []
}
