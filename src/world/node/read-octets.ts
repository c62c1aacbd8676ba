/** Reads a file whole, up to a size. For the command line's attachments and message files. */
import { readFileSync, statSync } from 'node:fs'

export function readOctets(
  path: string,
  maxOctets: number,
): { readonly octets: Uint8Array } | { readonly reason: string } {
  try {
    const { size } = statSync(path)
    if (size > maxOctets) return { reason: `it is larger than ${maxOctets} octets` }
    return { octets: readFileSync(path) }
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) }
  }
}
