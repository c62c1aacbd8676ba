/**
 * MAIL and RCPT as they are sent (RFC 5321 §4.1.1.2, §4.1.1.3): the address and those parameters
 * that the hop offers. Called by transaction.ts. A command holds nothing that ends a line, whatever
 * the envelope holds (command injection).
 */
import { formatPath, isAscii } from '../../mail/address.ts'
import type { Recipient, Sender } from '../../mail/envelope.ts'
import { encodeXtext } from '../../wire/xtext.ts'
import { offers, type Talk } from './talk.ts'

/** Whether a message can go on only by SMTPUTF8 (RFC 6531 §3.2). */
export function needsUtf8(sender: Sender, recipients: readonly Recipient[]): boolean {
  if (sender.utf8 || !isAscii(formatPath(sender.reversePath))) return true
  return recipients.some(recipient => !isAscii(formatPath(recipient.forwardPath)))
}

/**
 * `MAIL FROM:<...>` with its parameters and CRLF; undefined where the envelope holds what no
 * command can.
 */
export function mailCommand(
  talk: Talk,
  sender: Sender,
  sizeOctets: number,
  utf8: boolean,
): string | undefined {
  let command = `MAIL FROM:${formatPath(sender.reversePath)}`
  // RFC 1870 §3: the size on the wire before dot-stuffing.
  if (offers(talk, 'SIZE')) command += ` SIZE=${sizeOctets}`
  if (sender.body === 'BINARYMIME') command += ' BODY=BINARYMIME'
  else if (sender.body === '8BITMIME' && offers(talk, '8BITMIME')) command += ' BODY=8BITMIME'
  if (utf8) command += ' SMTPUTF8'
  if (offers(talk, 'DSN')) {
    if (sender.ret !== undefined) command += ` RET=${sender.ret}`
    if (sender.envelopeId !== undefined) command += ` ENVID=${encodeXtext(sender.envelopeId)}`
  }
  // RFC 4954 §5: who submitted is told only to a hop that knows us.
  if (talk.login !== undefined && sender.submitter !== undefined) {
    command += ` AUTH=${sender.submitter === null ? '<>' : encodeXtext(sender.submitter)}`
  }
  return line(command)
}

/** `RCPT TO:<...>` likewise. */
export function rcptCommand(talk: Talk, recipient: Recipient, utf8: boolean): string | undefined {
  let command = `RCPT TO:${formatPath(recipient.forwardPath)}`
  if (offers(talk, 'DSN')) {
    const { notify, originalRecipient: original } = recipient
    if (notify !== undefined && notify.length > 0) {
      command += ` NOTIFY=${notify === 'NEVER' ? notify : notify.join(',')}`
    }
    if (original !== undefined) {
      command += ` ORCPT=${original.type};${originalAddress(original.type, original.address, utf8)}`
    }
  }
  return line(command)
}

/** ORCPT's address: xtext (RFC 3461 §4.2), or for type utf-8 the forms of RFC 6533 §3. */
function originalAddress(type: string, address: string, utf8: boolean): string {
  if (type.toLowerCase() !== 'utf-8') return encodeXtext(address)
  let text = ''
  for (const character of address) {
    const point = character.codePointAt(0) ?? 0
    const special = point < 0x21 || point === 0x7f || '+=\\'.includes(character)
    text +=
      special || (point > 0x7e && !utf8) ? `\\x{${point.toString(16).toUpperCase()}}` : character
  }
  return text
}

function line(command: string): string | undefined {
  return /[\u0000-\u001f\u007f]/.test(command) ? undefined : `${command}\r\n`
}
