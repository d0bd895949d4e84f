/** How a family of models charges for an image. */
export type ImageRule =
  /** OpenAI's tiles: scaled down to 2048 × 2048, then to 768 on the shorter side, cut into squares of 512. */
  | { readonly kind: 'tiles'; readonly base: number; readonly perTile: number }
  /** Squares of `side` pixels, scaled down until at most `most` cover it, times `factor`. */
  | { readonly kind: 'patches'; readonly side: number; readonly most: number; readonly factor: number }
  /** The same for every image, or hard to tell. */
  | { readonly kind: 'flat'; readonly usual: number; readonly most: number }

/** In pixels. */
export interface ImageSize {
  readonly width: number
  readonly height: number
}

/** What an image costs. One of unknown size costs the most it can. */
export function imageTokens(rule: ImageRule, size: ImageSize | undefined, detail: unknown): number {
  if (rule.kind === 'flat') return rule.usual
  if (rule.kind === 'patches') return Math.ceil(rule.factor * (size ? patchesOf(size, rule.side, rule.most) : rule.most))
  return rule.base + (detail === 'low' ? 0 : rule.perTile * (size ? tilesOf(size) : mostTiles))
}

/** The most an image can cost. */
export function mostImageTokens(rule: ImageRule, size: ImageSize | undefined, detail: unknown): number {
  // a patch model may frame its images with a token on either side
  if (rule.kind !== 'flat') return imageTokens(rule, size, detail) + 2
  return size ? Math.min(rule.most, Math.max(mostCrops, patchesOf(size, finestPatch, rule.most) + 2)) : rule.most
}

/** Models that cut images into crops of a fixed cost take at most this (Llama 3.2 Vision, four crops); the others go by size. */
const mostCrops = 6404
const finestPatch = 28

/** 768 × 2048 pixels. */
const mostTiles = 2 * 4

/** From the guide's own example: 2048 × 4096 becomes 768 × 1536, six tiles. Small images are not scaled up. */
function tilesOf({ width, height }: ImageSize): number {
  const fit = Math.min(1, 2048 / Math.max(width, height))
  const scale = fit * Math.min(1, 768 / (fit * Math.min(width, height)))
  // a hair less: 768 must not become 768.0000001
  const along = (length: number) => Math.max(1, Math.ceil((length * scale) / 512 - 1e-6))
  return Math.min(mostTiles, along(width) * along(height))
}

/** From the guide's own example: 1800 × 2400 becomes 1056 × 1408, which is 33 × 44. */
function patchesOf({ width, height }: ImageSize, side: number, most: number): number {
  const covered = Math.ceil(width / side) * Math.ceil(height / side)
  if (covered <= most) return covered
  const shrink = Math.sqrt((side * side * most) / (width * height))
  const [across, down] = [(width * shrink) / side, (height * shrink) / side]
  // down to whole patches on the side that loses more
  const whole = Math.min(Math.floor(across) / across, Math.floor(down) / down)
  const along = (length: number) => Math.max(1, Math.ceil(length * whole - 1e-6))
  return Math.min(most, along(across) * along(down))
}
