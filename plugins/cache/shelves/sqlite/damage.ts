/** The file is not what was written. */
export class DamagedFile extends Error {}
