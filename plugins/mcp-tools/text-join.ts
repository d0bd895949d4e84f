/** What stands between the text of one turn and that of the next, so that two sentences do not run into each other. */
export const breakBetween = (before: string, after: string): string =>
  before === '' || after === '' || /\s$/.test(before) || /^\s/.test(after) ? '' : '\n\n'
