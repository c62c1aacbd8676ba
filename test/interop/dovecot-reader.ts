/**
 * Dovecot's IMAP by itself, over pipes and without a login: what it tells of messages. Needs root, to be nobody.
 */
import { spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newFolder } from '../kit/server.ts'

const PROGRAM = '/usr/lib/dovecot/imap'
const NOBODY = 65_534

export const dovecotReads = existsSync(PROGRAM) && process.getuid?.() === 0

/** A string, a number or NIL as its text, in small letters; a list. */
export type Told = string | readonly Told[]

/** ENVELOPE and BODYSTRUCTURE of each message, in order; undefined where it took none. */
export async function dovecotTells(
  messages: readonly Buffer[],
): Promise<readonly (Told | undefined)[]> {
  const folder = newFolder('dovecot-reader')
  chmodSync(folder, 0o755)
  chownSync(folder, NOBODY, NOBODY)
  writeFileSync(
    join(folder, 'dovecot.conf'),
    `base_dir = ${folder}/run\nstate_dir = ${folder}/run\nprotocols = imap\nssl = no\nmail_location = maildir:${folder}/mail\n`,
  )
  const child = spawn(PROGRAM, ['-c', join(folder, 'dovecot.conf')], {
    env: { USER: 'nobody', HOME: folder },
    uid: NOBODY,
    gid: NOBODY,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const said: Buffer[] = []
  child.stdout.on('data', (octets: Buffer) => said.push(octets))
  for (const [n, message] of messages.entries()) {
    child.stdin.write(`a${n} APPEND INBOX {${message.length}+}\r\n`)
    child.stdin.write(message)
    child.stdin.write('\r\n')
  }
  child.stdin.end('b SELECT INBOX\r\nc FETCH 1:* (ENVELOPE BODYSTRUCTURE)\r\nd LOGOUT\r\n')
  await new Promise(resolve => child.once('close', resolve))
  const text = Buffer.concat(said).toString('latin1')
  const taken = messages.map((_, n) => text.includes(`\r\na${n} OK `))
  const told = [...text.matchAll(/\r\n\* \d+ FETCH /g)].map(({ index, 0: all }) =>
    readList(text, index + all.length),
  )
  return taken.map(was => (was ? told.shift() : undefined))
}

/** The list that begins here (RFC 9051 §9). */
export function readList(text: string, from: number): Told {
  let at = from
  const read = (): Told => {
    const char = text[at]
    if (char === '(') {
      at += 1
      const items: Told[] = []
      while (text[at] !== ')' && at < text.length) {
        if (text[at] === ' ') at += 1
        else items.push(read())
      }
      at += 1
      return items
    }
    if (char === '"') {
      let string = ''
      for (at += 1; text[at] !== '"' && at < text.length; at++) {
        if (text[at] === '\\') at += 1
        string += text[at]
      }
      at += 1
      return string.toLowerCase()
    }
    if (char === '{') {
      const [all, size] = /^\{(\d+)\}\r\n/.exec(text.slice(at, at + 20)) ?? ['{', '0']
      at += all.length + Number(size)
      return text.slice(at - Number(size), at).toLowerCase()
    }
    const [atom = ''] = /^[^ ()]*/.exec(text.slice(at, at + 100)) ?? []
    at += Math.max(1, atom.length)
    return atom.toLowerCase()
  }
  return read()
}
