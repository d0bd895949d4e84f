/**
 * Gives the memory of an array back at once; it is empty then. The garbage collector may take long: it sees a small object,
 * and keeps it as long as anything on the stack looks like its address.
 */
export function letGo(array: Buffer<ArrayBuffer> | Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>): void {
  array.buffer.transfer(0)
}
