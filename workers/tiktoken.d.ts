/** A file of ranks: a token in base64, a space and its rank on each line. Imported as the path of the file. */
declare module '*.tiktoken' {
  const path: string
  export default path
}
