/**
 * The table of extensions as Markdown, for docs/rfc.md and the README: read off table.ts and left-out.ts,
 * so that no document says what the server does not do. A test beside this file compares; `npm run docs`
 * prints anew.
 */
import type { Extension } from './extension.ts'
import { leftOut } from './left-out.ts'
import { extensions } from './table.ts'

/** All that a row says: for docs/rfc.md. */
export function extensionTable(): string {
  return table(
    ['keyword', 'RFC', 'on at', 'verbs', 'parameters', 'what it is for'],
    extensions.map(each => [
      `\`${each.keyword}\``,
      sources(each),
      service(each),
      (each.verbs ?? []).join(', '),
      parameters(each),
      each.help,
    ]),
  )
}

/** What a reader wants to know first: for the README. */
export function shortTable(): string {
  return table(
    ['extension', 'RFC', 'on at', 'what it is for'],
    extensions.map(each => [each.keyword, sources(each), service(each), each.help]),
  )
}

/** What is not here on purpose. */
export function leftOutTable(): string {
  return table(
    ['keyword', 'from', 'why it is left out'],
    leftOut.map(({ keyword, source, why }) => [`\`${keyword}\``, source, why]),
  )
}

function sources({ rfcs }: Extension): string {
  return rfcs.length === 0 ? 'Postfix' : rfcs.join(', ')
}

/** Where it is on without a word of the config. */
function service({ onAt, shownTo }: Extension): string {
  if (shownTo !== undefined) return 'for peers that are named'
  if (onAt === undefined) return 'all'
  return onAt.length === 0 ? 'none' : onAt.join(', ')
}

function parameters({ mail, rcpt }: Extension): string {
  return [
    ...Object.keys(mail ?? {}).map(keyword => `MAIL ${keyword}`),
    ...Object.keys(rcpt ?? {}).map(keyword => `RCPT ${keyword}`),
  ].join(', ')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`.replace(/ {2,}/g, ' ')
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}
