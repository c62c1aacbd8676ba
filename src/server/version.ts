/** The version of this Postrider, as its package says. */

import { fileURLToPath } from 'node:url'
import { readText } from '../world/node/config-file.ts'

export function version(): string {
  const found = readText(fileURLToPath(new URL('../../package.json', import.meta.url)))
  if ('reason' in found) return 'unknown'
  const { version: text } = JSON.parse(found.text) as { version?: unknown }
  return typeof text === 'string' ? text : 'unknown'
}
