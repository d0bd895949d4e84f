const gib = 1024 ** 3

/** The sizes memory and graphics cards are sold in. GB here are always of 1024³ bytes, as with the sellers. */
const sold = [
  1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 16, 18, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 80, 94, 96, 112, 128, 141, 144, 160, 180, 192, 256, 288,
  320, 384, 512, 768, 1024, 1536, 2048, 3072, 4096,
]

/**
 * What firmware, error correction and built-in graphics take away: a "16 GB" PC reports 15.0 to 15.9 GiB, a 24 GB
 * L4 with ECC 22.5, a 16 GB T4 15.0. More than this, and it is a smaller machine.
 */
const mostMissing = 0.07

/** The size in GB it was sold as, when no more than 7 % are missing; otherwise what is there, rounded down. */
export function soldGb(bytes: number): number {
  const size = bytes / gib
  const next = sold.find(candidate => candidate >= size)
  return next !== undefined && size >= next * (1 - mostMissing) ? next : Math.floor(size)
}

/** Whole GB, rounded down: for limits that are exact. */
export const wholeGb = (bytes: number): number => Math.floor(bytes / gib)
