/**
 * About how many octets a job's input takes in memory: enough to bound a batch. Called by the committer
 * for each job, so it looks only as deep as inputs go.
 */
export function sizeInOctets(value: unknown, depth = 0): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 8
  // What crosses to the committer is the whole buffer behind a view (wire/own.ts).
  if (ArrayBuffer.isView(value)) return value.buffer.byteLength
  if (depth > 4) return 64
  let octets = 16
  if (Array.isArray(value)) {
    for (const item of value) octets += sizeInOctets(item, depth + 1)
  } else {
    for (const item of Object.values(value)) octets += sizeInOctets(item, depth + 1)
  }
  return octets
}
