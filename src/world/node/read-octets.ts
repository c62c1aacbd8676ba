/** Reads a file whole, up to a size. For the command line's attachments and message files. */
import { readFileSync, statSync } from 'node:fs'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'it may not be read by this user',
  EISDIR: 'it is a folder',
}

export function readOctets(
  path: string,
  maxOctets: number,
): { readonly octets: Uint8Array } | { readonly reason: string } {
  try {
    const { size } = statSync(path)
    if (size > maxOctets) return { reason: `it is larger than ${maxOctets} octets` }
    return { octets: readFileSync(path) }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { reason: REASONS[code ?? ''] ?? message }
  }
}
