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

export interface Appended {
  readonly octets: Buffer
  readonly flags: string
  /** As APPEND says it. */
  readonly date: string
}

/** ENVELOPE and BODYSTRUCTURE of each message, in order; undefined where it took none. */
export async function dovecotTells(
  messages: readonly Buffer[],
): Promise<readonly (Told | undefined)[]> {
  const dovecot = start()
  for (const [n, octets] of messages.entries()) dovecot.write(append(`a${n}`, octets, ''))
  dovecot.write('b SELECT INBOX\r\nc FETCH 1:* (ENVELOPE BODYSTRUCTURE)\r\n')
  const text = await dovecot.end()
  const taken = messages.map((_, n) => text.includes(`\r\na${n} OK `))
  const told = [...text.matchAll(/\r\n\* \d+ FETCH /g)].map(({ index, 0: all }) =>
    readList(text, index + all.length),
  )
  return taken.map(was => (was ? told.shift() : undefined))
}

/** What it answers to each command on a mailbox with these messages: untagged lines, and the tagged one. */
export async function dovecotSays(
  messages: readonly Appended[],
  commands: readonly string[],
): Promise<readonly string[]> {
  const dovecot = start()
  for (const [n, { octets, flags, date }] of messages.entries()) {
    dovecot.write(append(`a${n}`, octets, `(${flags}) "${date}" `))
  }
  await dovecot.say('EXAMINE INBOX')
  const answers: string[] = []
  // One by one: what is pipelined it carries out side by side.
  for (const command of commands) answers.push(await dovecot.say(command))
  await dovecot.end()
  return answers
}

function append(tag: string, octets: Buffer, attributes: string): Buffer {
  const line = `${tag} APPEND INBOX ${attributes}{${octets.length}+}\r\n`
  return Buffer.concat([Buffer.from(line), octets, Buffer.from('\r\n')])
}

function start() {
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
  let heard: Buffer[] = []
  let wake = () => {}
  child.stdout.on('data', (octets: Buffer) => {
    heard.push(octets)
    wake()
  })
  const text = () => Buffer.concat(heard).toString('latin1')
  const closed = new Promise(resolve => child.once('close', resolve))
  return {
    write: (octets: Buffer | string) => child.stdin.write(octets),
    /** All that comes up to its tagged answer. */
    async say(command: string): Promise<string> {
      heard = []
      child.stdin.write(`tag ${command}\r\n`)
      while (!TAGGED.test(text())) await new Promise<void>(resolve => (wake = resolve))
      return text()
    },
    /** All that was heard since the last command. */
    async end(): Promise<string> {
      child.stdin.end('d LOGOUT\r\n')
      await closed
      return text()
    },
  }
}

const TAGGED = /(?:^|\r\n)tag (?:OK|NO|BAD) [^\r\n]*\r\n$/

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
