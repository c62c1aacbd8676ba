/**
 * Gives the corpus to tests: every message with its name, octets as they are stored.
 */
import { readdirSync, readFileSync } from 'node:fs'

export interface Sample {
  /** Folder and file, such as `own/dots.eml`. */
  readonly name: string
  readonly octets: Buffer
}

const FOLDERS = ['enmime', 'python', 'own'] as const

/** All samples, sorted by name. */
export function readCorpus(): Sample[] {
  const samples: Sample[] = []
  for (const folder of FOLDERS) {
    const at = new URL(`./${folder}/`, import.meta.url)
    for (const file of readdirSync(at).sort()) {
      samples.push({ name: `${folder}/${file}`, octets: readFileSync(new URL(file, at)) })
    }
  }
  return samples
}

/** The octets as SMTP carries text: each line end, whichever it was, as CRLF, and one at the end. */
export function asText(octets: Buffer): Buffer {
  const text = octets.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n')
  return Buffer.from(text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1')
}
