/** The message of `send`: written from its options, or taken from a file as it is. */
import { basename, extname } from 'node:path'
import { type Mailbox, parseAddressList } from '../message/address-list.ts'
import { formatMessageId } from '../message/complete.ts'
import { type Attachment, compose, type Draft } from '../message/compose.ts'
import { ExitError } from '../server/exit-error.ts'
import { readOctets } from '../world/node/read-octets.ts'
import { EXIT } from './exit.ts'
import type { Face } from './face.ts'
import { readInput } from './input.ts'

export interface DraftFlags {
  readonly from: string
  readonly to?: readonly string[]
  readonly cc?: readonly string[]
  readonly subject?: string
  readonly body?: string
  readonly bodyFile?: string
  readonly html?: string
  readonly attach?: readonly string[]
  readonly header?: readonly string[]
}

const INPUT_MAX_OCTETS = 256 * 1024 * 1024

/** The types that people attach; everything else is octets, and opens by its name. */
const TYPES: Readonly<Record<string, string>> = {
  '.txt': 'text/plain',
  '.csv': 'text/csv',
  '.html': 'text/html',
  '.pdf': 'application/pdf',
  '.json': 'application/json',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.svg': 'image/svg+xml',
  '.zip': 'application/zip',
  '.eml': 'message/rfc822',
  '.ics': 'text/calendar',
}

/** Composes; throws an `ExitError` that says what cannot be written. */
export async function composeDraft(
  face: Face,
  flags: DraftFlags,
  id: string,
  hostname: string,
): Promise<{ readonly octets: Uint8Array; readonly utf8: boolean }> {
  const [from] = mailboxes([flags.from], '--from')
  if (from === undefined) throw new ExitError(EXIT.usage, '--from has no address')
  const draft: Draft = {
    from: [from],
    to: mailboxes(flags.to ?? [], '--to'),
    cc: mailboxes(flags.cc ?? [], '--cc'),
    text: await bodyText(face, flags),
    dateMs: face.clock.now(),
    messageId: formatMessageId(id, hostname),
    attachments: (flags.attach ?? []).map(attachment),
    headers: (flags.header ?? []).map(field),
    ...(flags.subject !== undefined && { subject: flags.subject }),
    ...(flags.html !== undefined && { html: fileText(flags.html) }),
  }
  const composed = compose(draft)
  if (composed.kind === 'refused') throw new ExitError(EXIT.data, composed.reason)
  return composed
}

/** All mailboxes of some `--to`-like options, each a list with or without names. */
export function mailboxes(texts: readonly string[], option: string): Mailbox[] {
  return texts.flatMap(text => {
    const list = parseAddressList(text)
    if (list.fault === undefined && list.mailboxes.length > 0) return list.mailboxes
    const fault = list.fault === undefined ? '' : ` (${list.fault})`
    throw new ExitError(EXIT.usage, `${option} ${text}: no address can be read there${fault}`)
  })
}

async function bodyText(face: Face, flags: DraftFlags): Promise<string> {
  if (flags.bodyFile === '-' || (flags.body === undefined && flags.bodyFile === undefined)) {
    if (face.terminal.interactive) face.terminal.err('Write the message; end it with Ctrl-D.\n')
    return (await readInput(face, INPUT_MAX_OCTETS)).toString('utf8')
  }
  return flags.bodyFile === undefined ? (flags.body ?? '') : fileText(flags.bodyFile)
}

function fileText(path: string): string {
  return Buffer.from(fileOctets(path)).toString('utf8')
}

/** A file whole; throws an `ExitError` 66 where it cannot be read. */
export function fileOctets(path: string): Uint8Array {
  const read = readOctets(path, INPUT_MAX_OCTETS)
  if ('octets' in read) return read.octets
  throw new ExitError(EXIT.noInput, `cannot read ${path}: ${read.reason}`)
}

function attachment(path: string): Attachment {
  const type = TYPES[extname(path).toLowerCase()]
  return {
    filename: basename(path),
    content: fileOctets(path),
    ...(type !== undefined && { type }),
  }
}

function field(text: string): readonly [string, string] {
  const colon = text.indexOf(':')
  if (colon < 1) throw new ExitError(EXIT.usage, `--header ${text}: write 'Name: value'`)
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()]
}
